import { readFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem, type } from "node:os";

/** Where and when results were measured, without what tells whose machine it is. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly date: string;
  readonly ruminate: string;
  readonly wllama: string;
  readonly nodeLlamaCpp: string;
  /** Of all that ran, as they named themselves. */
  readonly runtimes: readonly string[];
}

const root = new URL("../../", import.meta.url);

export function describeMachine(runtimes: Iterable<string>): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown processor",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    date: new Date().toISOString().slice(0, 10),
    ruminate: versionOf("package.json"),
    wllama: versionOf("node_modules/@wllama/wllama/package.json"),
    nodeLlamaCpp: versionOf("node_modules/node-llama-cpp/package.json"),
    runtimes: [...new Set(runtimes)].sort(),
  };
}

export function machineLine(machine: Machine): string {
  const { cpu, cores, memoryGiB, date, ruminate, wllama, nodeLlamaCpp, runtimes } = machine;
  const versions = `ruminate ${ruminate}, wllama ${wllama}, node-llama-cpp ${nodeLlamaCpp}`;
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB; ${[versions, ...runtimes].join(", ")}; ${date}`;
}

function versionOf(manifest: string): string {
  const { version }: { version?: unknown } = JSON.parse(readFileSync(new URL(manifest, root), "utf8")) as object;
  return String(version);
}
