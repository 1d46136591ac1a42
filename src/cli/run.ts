import type { Flags } from "./flags.ts";
import { toGenerateOptions } from "./flags.ts";
import type { Host } from "./host.ts";
import { interruptible, UsageError } from "./host.ts";
import type { Context } from "./model.ts";
import { loadWithProgress, show } from "./model.ts";
import type { GenerateOptions, Message } from "./sdk.ts";

export interface RunFlags extends Flags {
  raw?: boolean;
  jsonSchema?: string;
  grammar?: string;
}

/** `ruminate run`: one turn, or with `--raw` one completion. */
export async function run(context: Context, words: readonly string[], flags: RunFlags): Promise<void> {
  const { host } = context;
  await interruptible(host, async (signal) => {
    const prompt = await readPrompt(host, { words, raw: flags.raw ?? false, signal });
    const options = { ...toGenerateOptions(flags), ...(await readFormat(host, flags)), signal };
    const model = await loadWithProgress(context, flags, signal);
    try {
      await show(
        flags.raw ? model.generate(prompt, options) : model.chat(asMessages(prompt, flags.system), options),
        host,
        flags,
      );
    } finally {
      await model.close();
    }
  });
}

async function readPrompt(
  { stdin }: Host,
  { words, raw, signal }: { words: readonly string[]; raw: boolean; signal: AbortSignal },
): Promise<string> {
  const given = words.join(" ");
  const piped = stdin.isTTY ? "" : await stdin.text(signal);
  const prompt = [given, raw ? piped : piped.trim()].filter((text) => text !== "").join("\n\n");
  if (prompt.trim() !== "") return prompt;
  throw new UsageError(
    'there is no prompt; try: ruminate run "What is 47 + 85?", or pipe one in; ruminate chat holds a conversation',
  );
}

async function readFormat(host: Host, { jsonSchema, grammar }: RunFlags): Promise<Pick<GenerateOptions, "format">> {
  if (grammar !== undefined) return { format: { type: "gbnf", grammar: await read(host, grammar) } };
  if (jsonSchema === undefined) return {};
  return { format: { type: "json", schema: parseSchema(await read(host, jsonSchema), jsonSchema) } };
}

async function read(host: Host, path: string): Promise<string> {
  try {
    return await host.readText(path);
  } catch (cause) {
    throw new Error(`Cannot read ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function parseSchema(text: string, path: string): object {
  let schema: unknown;
  try {
    schema = JSON.parse(text);
  } catch (cause) {
    throw new Error(
      `Cannot use ${path} as a JSON schema: ${cause instanceof Error ? cause.message : "it is not JSON"}`,
      { cause },
    );
  }
  if (typeof schema === "object" && schema !== null && !Array.isArray(schema)) return schema;
  throw new Error(`Cannot use ${path} as a JSON schema: it must hold an object`);
}

function asMessages(prompt: string, system: string | undefined): Message[] {
  return [
    ...(system === undefined ? [] : [{ role: "system", content: system } as const]),
    { role: "user", content: prompt },
  ];
}
