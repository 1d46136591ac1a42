import { fileSize, grouped, largeCount, memorySize, table } from "./format.ts";
import { interruptible } from "./host.ts";
import type { Context } from "./model.ts";
import type { Capabilities, ModelSource, ModelSummary } from "./sdk.ts";

/** `ruminate inspect`: what a model is and needs, from its header alone. */
export async function inspect(
  { sdk, host }: Context,
  source: ModelSource | undefined,
  { json = false }: { json?: boolean },
): Promise<void> {
  await interruptible(host, async (signal) => {
    const [summary, capabilities] = await Promise.all([sdk.inspectModel(source, { signal }), sdk.capabilities()]);
    await host.stdout.write(json ? summaryJson(summary, capabilities) : summaryText(summary, capabilities));
  });
}

function summaryText(summary: ModelSummary, { maxMemory }: Capabilities): string {
  const { name, architecture, parameters, quantization, family, thinks, sampling, memory } = summary;
  const rows: [string, string][] = [
    ["name", name],
    ["architecture", architecture],
    ["parameters", largeCount(parameters)],
    ["quantization", quantization],
    ["size", `${fileSize(summary.sizeBytes)}, ${grouped(summary.tensors)} tensors`],
    ["trained context", `${grouped(summary.contextTrained)} tokens`],
    ["vocabulary", `${grouped(summary.vocabularySize)} tokens`],
    ["template", `${family}${thinks ? ", thinks first" : ""}`],
    [
      "recommended sampling",
      Object.entries(sampling)
        .map(([key, value]) => `${key} ${value}`)
        .join(", ") || "none",
    ],
    ...memory.map(({ contextSize, bytes }): [string, string] => [
      `memory at ${grouped(contextSize)} tokens`,
      `${memorySize(bytes)}${bytes > maxMemory ? ", too much for this host" : ""}`,
    ]),
    ["this host allows", memorySize(maxMemory)],
  ];
  return table(rows);
}

function summaryJson({ metadata, ...summary }: ModelSummary, { maxMemory }: Capabilities): string {
  const printed = { ...summary, maxMemory, metadata: Object.fromEntries(metadata) };
  return `${JSON.stringify(printed, jsonValue, 2)}\n`;
}

/** GGUF integers may be 64 bits wide, and a vocabulary would fill the screen. */
function jsonValue(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  const list = asList(value);
  if (!list) return value;
  return list.length > 64 ? `(${list.length} values)` : list;
}

function asList(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value;
  // A view that can be iterated is one of the typed arrays; numbers or bigints, no matter which.
  return ArrayBuffer.isView(value) && Symbol.iterator in value ? [...(value as Uint8Array)] : undefined;
}
