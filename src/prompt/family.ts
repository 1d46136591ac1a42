/** The pair of texts around a model's thoughts. */
export interface ReasoningTags {
  readonly open: string;
  readonly close: string;
}

/** How a family of models writes its prompts and replies, as data. */
export interface Family {
  readonly name: "glm-z1" | "glm-z1-rumination" | "glm-4-0414" | "think-tags" | "generic";
  readonly tags: ReasoningTags;
  /** Its template or its name says that it thinks before it answers. */
  readonly thinks: boolean;
  /** The generation prompt opens the thinking block already. */
  readonly opensThinking: boolean;
  /** The template reads `enable_thinking`, so that thinking can be switched off by it. */
  readonly thinkingSwitch: boolean;
  /**
   * How replies call tools. `name-line`: the tool's name, a newline, JSON arguments. `json-object`: one JSON object with name
   * and arguments, nothing else. `tool-call-tags`: such an object between `<tool_call>` and `</tool_call>`.
   */
  readonly callFormat: "name-line" | "json-object" | "tool-call-tags" | "none";
  /** `metadata`: one message a call, its name in `metadata`, results as role `observation`; `tool-calls`: OpenAI's shape. */
  readonly messageShape: "metadata" | "tool-calls";
  /** Where kept thoughts go: into a field the template knows, or with tags into the message's text. */
  readonly reasoningIn: "reasoning_content" | "content";
  /** Role headers, where a system message in mid-conversation has to stay in place and the template would move it. */
  readonly headers?: { readonly user: string; readonly system: string };
  /** Tools that the template itself announces; the caller's own are ignored. */
  readonly builtinTools: readonly string[];
  /** Texts that end a reply beside the end tokens that the file names. */
  readonly stop: readonly string[];
}

const thinkTags: ReasoningTags = { open: "<think>", close: "</think>" };
const knownTags: readonly ReasoningTags[] = [
  thinkTags,
  { open: "[THINK]", close: "[/THINK]" },
  { open: "<seed:think>", close: "</seed:think>" },
];

const glm = {
  callFormat: "name-line",
  headers: { user: "<|user|>", system: "<|system|>" },
  builtinTools: [],
  // llama.cpp does not end at <|observation|> by itself with published files.
  stop: ["<|endoftext|>", "<|user|>", "<|observation|>"],
} as const;

const ruminationTools: readonly string[] = ["search", "click", "open", "finish"];

/**
 * Tells a model's family by what its GGUF says.
 *
 * @param metadata GGUF metadata: `general.architecture` and `general.name` are looked at.
 * @param template Chat template, if the file has one.
 */
export function detectFamily(metadata: ReadonlyMap<string, unknown>, template = ""): Family {
  const architecture = String(metadata.get("general.architecture") ?? "");
  const name = `${String(metadata.get("general.name") ?? "")} ${String(metadata.get("general.basename") ?? "")}`;
  const found = knownTags.find(({ close }) => template.includes(close));
  const tags = found ?? thinkTags;
  const derived = {
    tags,
    thinkingSwitch: template.includes("enable_thinking"),
    messageShape: template.includes("metadata") ? "metadata" : "tool-calls",
    reasoningIn: template.includes("reasoning_content") ? "reasoning_content" : "content",
    opensThinking: opensThinking(template, tags),
  } as const;

  // Later GLM models (4.5 on) keep the role tokens and write everything else in another way.
  const isGlm = /^(glm4|chatglm)$/.test(architecture) || template.startsWith("[gMASK]<sop>");
  if (isGlm && !template.includes("<arg_key>")) {
    if (/rumination/i.test(name) || ruminationTools.every((tool) => template.includes(`"name": "${tool}"`))) {
      // It drops system messages, so none can be kept in place.
      const { headers: _, ...rest } = glm;
      return {
        ...rest,
        ...derived,
        name: "glm-z1-rumination",
        thinks: true,
        callFormat: "json-object",
        builtinTools: ruminationTools,
      };
    }
    if (template.includes("<think>") || /z1/i.test(name)) {
      return { ...glm, ...derived, name: "glm-z1", thinks: true };
    }
    return { ...glm, ...derived, name: "glm-4-0414", thinks: false };
  }

  const hermes = template.includes("<tool_call>") && !template.includes("<arg_key>");
  return {
    ...derived,
    messageShape: "tool-calls",
    name: found ? "think-tags" : "generic",
    thinks: found !== undefined,
    callFormat: hermes ? "tool-call-tags" : "none",
    builtinTools: [],
    stop: template.includes("<|im_end|>") ? ["<|im_end|>"] : [],
  };
}

/** Whether the last words of the template open a thinking block that nothing there closes. */
function opensThinking(template: string, { open, close }: ReasoningTags): boolean {
  const generation = template.slice(Math.max(0, template.lastIndexOf("add_generation_prompt")));
  const opens = generation.lastIndexOf(open);
  return opens !== -1 && opens > generation.lastIndexOf(close);
}

/**
 * Repairs a published GLM-Z1 template that has a backslash and an `n` before `<think>`, where a newline was meant.
 */
export function repairTemplate(template: string): string {
  return template.replace(/\\{1,2}n(?=<think>)/g, "\n");
}
