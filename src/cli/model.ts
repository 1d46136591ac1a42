import { statsLine } from "./format.ts";
import type { Flags, ModelFlags, OutputFlags } from "./flags.ts";
import { toLoadOptions } from "./flags.ts";
import type { Host } from "./host.ts";
import { Progress } from "./progress.ts";
import type { Chunk, Renderer, Surface } from "./render.ts";
import { dim, jsonRenderer, textRenderer, wantsColor } from "./render.ts";
import type { Generation, LoadOptions, Model, Result, Sdk } from "./sdk.ts";

/** What every command is given. */
export interface Context {
  readonly sdk: Sdk;
  readonly host: Host;
}

/** Loads the model that the flags name, with a progress bar where somebody can see it. */
export function loadWithProgress(
  context: Context,
  flags: ModelFlags & OutputFlags,
  signal: AbortSignal,
): Promise<Model> {
  return withProgress(context.host, flags, (progress) =>
    context.sdk.loadModel(flags.model, { ...toLoadOptions(flags), signal, ...progress }),
  );
}

/** Works with a progress bar where somebody can see it. */
export async function withProgress<T>(
  host: Host,
  flags: OutputFlags,
  work: (options: Pick<LoadOptions, "onprogress">) => Promise<T>,
): Promise<T> {
  const isShown = host.stderr.isTTY && !flags.quiet && !flags.json && host.environment.TERM !== "dumb";
  const progress = isShown ? new Progress(host.stderr, host.now) : undefined;
  try {
    return await work(progress ? { onprogress: (event) => progress.update(event) } : {});
  } finally {
    await progress?.clear();
  }
}

/** Writes one run to the host's streams as it comes, and what it cost at the end. */
export async function show(generation: Generation, host: Host, flags: Flags & { raw?: boolean }): Promise<void> {
  const renderer = rendererFor(host, flags);
  const write = async (chunks: readonly Chunk[]): Promise<void> => {
    for (const { to, text } of chunks) await (to === "out" ? host.stdout : host.stderr).write(text);
  };
  let result: Result | undefined;
  try {
    for await (const part of generation) {
      await write(renderer.render(part));
      if (part.type === "finish") result = part.result;
    }
  } finally {
    await write(renderer.end());
  }
  if (result && !flags.quiet && !flags.json)
    await host.stderr.write(`${dim(statsLine(result), surface(host, "stderr"))}\n`);
}

/** What one of the host's streams can show. */
export function surface(host: Host, name: "stdout" | "stderr"): Surface {
  const { isTTY } = host[name];
  return { isTTY, color: wantsColor(isTTY, host.environment) };
}

function rendererFor(
  host: Host,
  { hideThoughts = false, json = false, raw = false }: Flags & { raw?: boolean },
): Renderer {
  if (json) return jsonRenderer({ hideThoughts });
  return textRenderer({ out: surface(host, "stdout"), err: surface(host, "stderr"), hideThoughts, raw });
}
