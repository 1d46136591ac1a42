import type { LanguageModelV4CallOptions, LanguageModelV4FunctionTool } from "@ai-sdk/provider";
import { describe, expect, test } from "vitest";
import { toChatOptions } from "../../../../src/integrations/ai-sdk/call-options.ts";
import type { RuminateSettings } from "../../../../src/integrations/ai-sdk/provider-options.ts";
import { scriptedModel } from "../../api/scripted-model.ts";
import { call } from "./call.ts";

const { info } = scriptedModel(() => "").model;
const mapped = (
  options: Partial<LanguageModelV4CallOptions>,
  settings: RuminateSettings = {},
): ReturnType<typeof toChatOptions> => toChatOptions(call(options), settings, info);
const search: LanguageModelV4FunctionTool = {
  type: "function",
  name: "search",
  description: "Search for a fact",
  inputSchema: { type: "object", properties: { query: { type: "string" } } },
};
const click: LanguageModelV4FunctionTool = { type: "function", name: "click", inputSchema: { type: "object" } };
const [searchTool, clickTool] = [
  { name: "search", description: "Search for a fact", parameters: search.inputSchema },
  { name: "click", parameters: click.inputSchema },
];

describe("toChatOptions()", () => {
  test("asks for nothing where the call asks for nothing", () => {
    expect(mapped({})).toEqual({ options: {}, warnings: [] });
  });

  test("passes on each setting that there is", () => {
    const abortSignal = new AbortController().signal;
    const { options, warnings } = mapped({
      maxOutputTokens: 7,
      temperature: 0.5,
      topP: 0.8,
      topK: 3,
      seed: 11,
      stopSequences: ["END"],
      abortSignal,
      presencePenalty: 0,
    });
    expect(options).toEqual({
      maxTokens: 7,
      temperature: 0.5,
      topP: 0.8,
      topK: 3,
      seed: 11,
      stop: ["END"],
      signal: abortSignal,
    });
    expect(options.signal).toBe(abortSignal);
    expect(warnings).toEqual([]);
  });

  test("warns of penalties that there are not", () => {
    const { warnings } = mapped({ presencePenalty: 0.5, frequencyPenalty: -1 });
    expect(warnings.map((warning) => "feature" in warning && warning.feature)).toEqual([
      "presencePenalty",
      "frequencyPenalty",
    ]);
  });

  test("binds the answer to a schema, to any JSON object, or not at all", () => {
    const schema = { type: "object" } as const;
    expect(mapped({ responseFormat: { type: "json", schema } }).options.format).toEqual({ type: "json", schema });
    expect(mapped({ responseFormat: { type: "json" } }).options.format).toEqual({ type: "json" });
    expect(mapped({ responseFormat: { type: "text" } }).options).toEqual({});
  });

  describe("providerOptions.ruminate", () => {
    test("gives what the AI SDK has no setting for, and goes over the settings of the model", () => {
      const { options, warnings } = mapped(
        {
          providerOptions: {
            ruminate: { reasoning: "force", thinkingBudget: 5, keepReasoning: "all", minP: 0.1, repeatPenalty: 1.2 },
            other: { unknown: 1 },
          },
        },
        { keepReasoning: "none", minP: 0.9, grammar: 'root ::= "a"' },
      );
      expect(options).toEqual({
        reasoning: { mode: "force", budget: 5 },
        keepReasoning: "all",
        minP: 0.1,
        repeatPenalty: 1.2,
        format: { type: "gbnf", grammar: 'root ::= "a"' },
      });
      expect(warnings).toEqual([]);
    });

    test("warns of a name that nothing reads", () => {
      const { options, warnings } = mapped({ providerOptions: { ruminate: { thinkBudget: 5 } } });
      expect(options).toEqual({});
      expect(warnings).toMatchObject([{ type: "unsupported", feature: "providerOptions.ruminate.thinkBudget" }]);
    });
  });

  describe("reasoning", () => {
    test.each<[LanguageModelV4CallOptions["reasoning"], unknown]>([
      ["provider-default", undefined],
      ["none", { mode: "off" }],
      ["minimal", { budget: 100 }],
      ["low", { budget: 200 }],
      ["medium", { budget: 400 }],
      ["high", { budget: 800 }],
      ["xhigh", { budget: 1200 }],
      ["max", { mode: "auto" }],
    ])("%s is a share of the reply", (reasoning, expected) => {
      expect(mapped({ ...(reasoning && { reasoning }), maxOutputTokens: 1600 }).options.reasoning).toEqual(expected);
    });

    test("without a number of tokens is a share of what the model usually gets", () => {
      expect(mapped({ reasoning: "high" }).options.reasoning).toEqual({ budget: info.contextTrained / 4 });
      const glm = { ...info, metadata: new Map([["general.name", "GLM-Z1-9B-0414"]]) };
      expect(toChatOptions(call({ reasoning: "high" }), {}, glm).options.reasoning).toEqual({ budget: 15_000 });
    });

    test("of the call goes over that of the settings, and options of ours over the AI SDK's", () => {
      const settings: RuminateSettings = { reasoning: { minimum: 3 }, thinkingBudget: 9 };
      expect(mapped({}, settings).options.reasoning).toEqual({ minimum: 3, budget: 9 });
      expect(mapped({ reasoning: "none" }, settings).options.reasoning).toEqual({ mode: "off", budget: 9 });
      const providerOptions = { ruminate: { reasoning: { mode: "force" }, thinkingBudget: 4 } };
      expect(mapped({ reasoning: "none", providerOptions }, settings).options.reasoning).toEqual({
        mode: "force",
        budget: 4,
      });
    });
  });

  describe("tools", () => {
    test("are told to the model, which chooses", () => {
      for (const type of [undefined, "auto"] as const) {
        const { options, warnings } = mapped({ tools: [search, click], ...(type && { toolChoice: { type } }) });
        expect(options).toEqual({ tools: [searchTool, clickTool] });
        expect(warnings).toEqual([]);
      }
    });

    test("are not told with the choice none", () => {
      const { options } = mapped({ tools: [search], toolChoice: { type: "none" } });
      expect(options).toEqual({ tools: [searchTool], toolChoice: "none" });
    });

    test("of a provider, and strict ones, are warned of", () => {
      const { options, warnings } = mapped({
        tools: [
          { type: "provider", id: "other.browse", name: "browse", args: {} },
          { ...click, strict: true },
        ],
      });
      expect(options).toEqual({ tools: [clickTool] });
      expect(warnings).toMatchObject([
        { type: "unsupported", feature: "provider-defined tool other.browse" },
        { type: "unsupported", feature: "strict mode of the tool click" },
      ]);
    });

    test("give way to a JSON answer, with a warning", () => {
      const { options, warnings } = mapped({ tools: [search], responseFormat: { type: "json" } });
      expect(options).toEqual({ format: { type: "json" } });
      expect(warnings).toMatchObject([{ type: "unsupported", feature: "tools beside a JSON answer" }]);
    });

    test("are forced where the choice is required or a name", () => {
      const tools = [searchTool, clickTool];
      const required = mapped({ tools: [search, click], toolChoice: { type: "required" } });
      expect(required).toEqual({ options: { tools, toolChoice: "required" }, warnings: [] });
      const named = mapped({ tools: [search, click], toolChoice: { type: "tool", toolName: "click" } });
      expect(named).toEqual({ options: { tools, toolChoice: { name: "click" } }, warnings: [] });
    });
  });
});
