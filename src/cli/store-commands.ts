import type { Command } from "commander";
import type { OutputFlags } from "./flags.ts";
import { fileSize, printable, table } from "./format.ts";
import { Interrupted, interruptible, UsageError } from "./host.ts";
import type { Context } from "./model.ts";
import { withProgress } from "./model.ts";
import { isRemote, parseModel } from "./parse.ts";
import type { KeptModel, ModelSource } from "./sdk.ts";

interface PullFlags extends OutputFlags {
  integrity?: string;
}

/** `pull`, `ls` and `rm`: what is kept of models that came over the network. */
export function addStoreCommands(program: Command, context: Context): void {
  program
    .command("pull")
    .description("Fetches a model and keeps it; one that was broken off goes on from there.")
    .argument("<model>", "URL or hf:owner/repo[:quant]", parseModel)
    .option("--integrity <digest>", "what the file has to be: sha256-<base64>, or 64 hexadecimal digits")
    .option("--json", "what was fetched, as JSON")
    .option("-q, --quiet", "no progress bar, no report")
    .addHelpText(
      "after",
      `
It is kept in the user's cache folder, or the one that RUMINATE_MODELS names.

Examples:
  ruminate pull hf:unsloth/GLM-Z1-9B-0414-GGUF:Q4_K_M
  ruminate run -m hf:unsloth/GLM-Z1-9B-0414-GGUF:Q4_K_M "What is 47 + 85?"`,
    )
    .action((source: ModelSource, flags: PullFlags) => pull(context, source, flags));

  program
    .command("ls")
    .description("Lists the models that are kept.")
    .option("--json", "the list as JSON")
    .addHelpText("after", "\nExamples:\n  ruminate ls\n  ruminate ls --json")
    .action((flags: { json?: boolean }) => list(context, flags));

  program
    .command("rm")
    .description("Removes models that are kept, parts of downloads too.")
    .argument("<model...>", "a name that ls tells, or what was pulled")
    .addHelpText("after", "\nExamples:\n  ruminate rm hf:unsloth/GLM-Z1-9B-0414-GGUF:Q4_K_M\n  ruminate rm model.gguf")
    .action((models: string[]) => remove(context, models));
}

async function pull({ sdk, host }: Context, source: ModelSource, flags: PullFlags): Promise<void> {
  if (!isRemote(source)) {
    throw new UsageError(
      "what is pulled comes over the network: a URL or hf:owner/repo[:quant]; a file is here already",
    );
  }
  const { integrity } = flags;
  try {
    await interruptible(host, async (signal) => {
      const model = await withProgress(host, flags, (progress) =>
        sdk.downloadModel(source, { signal, ...progress, ...(integrity === undefined ? {} : { integrity }) }),
      );
      if (flags.json) await host.stdout.write(`${JSON.stringify(model)}\n`);
      else if (!flags.quiet) {
        const files = model.files.length === 1 ? "" : `, ${model.files.length} files`;
        await host.stdout.write(`${printable(model.name)}  ${fileSize(model.sizeBytes)}${files}\n`);
      }
    });
  } catch (error) {
    if (error instanceof Interrupted) {
      await host.stderr.write("Interrupted. What came is kept; the same command goes on from there.\n");
    }
    throw error;
  }
}

async function list({ sdk, host }: Context, { json = false }: { json?: boolean }): Promise<void> {
  const models = await sdk.keptModels();
  if (json) return host.stdout.write(`${JSON.stringify(models, null, 2)}\n`);
  if (models.length === 0) return host.stderr.write("No models are kept; ruminate pull fetches one.\n");
  return host.stdout.write(table(models.map((model) => [printable(model.name), described(model)])));
}

function described({ sizeBytes, totalBytes, isWhole, addresses }: KeptModel): string {
  const total = totalBytes === undefined ? "more" : fileSize(totalBytes);
  const size = isWhole ? fileSize(sizeBytes) : `${fileSize(sizeBytes)} of ${total}`;
  return `${size}  ${addresses[0] ?? ""}`;
}

async function remove({ sdk, host }: Context, models: readonly string[]): Promise<void> {
  await interruptible(host, async (signal) => {
    for (const text of models) {
      const source = parseModel(text);
      const removed = await sdk.removeModel(isRemote(source) ? source : text, { signal });
      if (removed.length === 0) throw new Error(`Cannot remove ${text}: it is not kept; ruminate ls lists what is`);
      for (const { name, sizeBytes } of removed) {
        await host.stdout.write(`removed ${printable(name)}  ${fileSize(sizeBytes)}\n`);
      }
    }
  });
}
