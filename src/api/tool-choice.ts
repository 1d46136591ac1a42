import { InferenceError } from "../errors.ts";
import type { Family } from "../prompt/family.ts";
import { forcedCallGrammar } from "../prompt/forced-call.ts";
import type { GenerateOptions } from "./contract.ts";

/** @throws {TypeError} if the choice is none of those allowed */
export function checkToolChoice({ toolChoice }: GenerateOptions): void {
  if (toolChoice === undefined || ["auto", "none", "required"].some((choice) => choice === toolChoice)) return;
  if (typeof toolChoice === "object" && toolChoice !== null && typeof toolChoice.name === "string") return;
  throw new TypeError('toolChoice must be "auto", "none", "required" or { name }');
}

/**
 * The options of a request, with a format that leaves the answer no way but a tool call where one is forced.
 *
 * @throws {TypeError} if a format binds the answer already
 * @throws {RangeError} if the tool is not offered
 * @throws {InferenceError} `unsupported` if the model has no way of calling tools
 */
export function withForcedCall(options: GenerateOptions, family: Family): GenerateOptions {
  const { toolChoice, tools = [], format } = options;
  if (toolChoice === undefined || toolChoice === "auto" || toolChoice === "none") return options;
  const offered = tools.map(({ name }) => name);
  const names = toolChoice === "required" ? offered : [toolChoice.name];
  if (names.length === 0 || !names.every((name) => offered.includes(name))) {
    throw new RangeError(
      `toolChoice asks for a call of ${names.join() || "a tool"}, and the tools offered are: ${offered.join(", ") || "none"}`,
    );
  }
  if (format !== undefined) {
    throw new TypeError("format binds the whole answer, so that no tool can be called; leave it or toolChoice out");
  }
  const grammar = forcedCallGrammar(family, names);
  if (grammar === undefined) {
    throw new InferenceError(
      "unsupported",
      `Cannot force a call of ${names.join(" or ")}: the model's template shows no way of calling tools; use toolChoice "auto"`,
    );
  }
  return { ...options, format: { type: "gbnf", grammar } };
}
