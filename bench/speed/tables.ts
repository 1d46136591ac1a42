import { machineLine } from "./machine.ts";
import type { Machine } from "./machine.ts";
import { mainSubject } from "./subjects.ts";
import type { Speeds } from "./run-subject.ts";
import type { Group, Row } from "./summary.ts";

export interface Results {
  readonly machine: Machine;
  readonly prompt: number;
  readonly reply: number;
  readonly rounds: number;
  readonly size: string;
  readonly groups: readonly Group[];
  /** What was not measured, and why. */
  readonly notes: readonly string[];
}

/** Everything, one table a group. */
export function fullTables({ groups, notes, ...results }: Results): string {
  const head = [
    "subject",
    "prefill",
    "decode",
    "first prefill",
    "first decode",
    "load, s",
    "peak memory, MB",
    "× wllama",
    "× native AVX2",
    "× native",
  ];
  const parts = groups.map(({ model, bytes, threads, rows }) => {
    const title = `## ${results.size} ${model}, ${threadsText(threads)}\n\n${(bytes / 1e6).toFixed(0)} MB.`;
    const lines = rows.map((row) => [row.label, ...cells(row)]);
    return `${title}\n\n${table(head, lines)}`;
  });
  const list = notes.map((note) => `- ${note}`).join("\n");
  return [`# Speed`, about(results), ...parts, ...(list ? [`## Not measured\n\n${list}`] : [])].join("\n\n") + "\n";
}

/** What a README has room for: a line a group, with ours, wllama's and native llama.cpp's speeds. */
export function shortTable({ groups, notes: _, ...results }: Results): string {
  const columns = [mainSubject, "wllama-node", "native-avx2", "native-best"].filter((id) =>
    groups.some(({ rows }) => rows.some((row) => row.id === id && row.median)),
  );
  const labels = columns.map((id) => groups.flatMap(({ rows }) => rows).find((row) => row.id === id)?.label ?? id);
  const lines = groups.map(({ model, threads, rows }) => {
    const speeds = columns.map((id) => pair(rows.find((row) => row.id === id)?.median?.warm, 0));
    const ratios = rows.find(({ id }) => id === mainSubject)?.ratios;
    return [model, String(threads), ...speeds, pair(ratios?.wllama, 1), pair(ratios?.avx2, 2)];
  });
  return `${table(["model", "threads", ...labels, "× wllama", "× native AVX2"], lines)}\n\n${about(results)}`;
}

function about({ machine, prompt, reply, rounds, size }: Omit<Results, "groups" | "notes">): string {
  return (
    `Tokens a second: a prompt of ${prompt} tokens evaluated / ${reply} tokens generated, by a model of GLM's shape with ` +
    `${size} random weights. Medians of ${rounds} processes each, in turns, after a first run; ratios are of those ` +
    `medians. ${machineLine(machine)}.`
  );
}

function cells({ error, median, ratios }: Row): string[] {
  if (!median) return [`failed: ${(error ?? "").replaceAll(/[|\n]/g, " ")}`, ...Array.from({ length: 8 }, () => "")];
  const { warm, cold, loadMs, peakBytes } = median;
  return [
    number(warm.prefill),
    number(warm.decode),
    number(cold.prefill),
    number(cold.decode),
    (loadMs / 1000).toFixed(2),
    peakBytes === undefined ? "" : (peakBytes / 1e6).toFixed(0),
    pair(ratios?.wllama, 2),
    pair(ratios?.avx2, 2),
    pair(ratios?.best, 2),
  ];
}

function pair(speeds: Speeds | undefined, digits: number): string {
  return speeds ? `${speeds.prefill.toFixed(digits)} / ${speeds.decode.toFixed(digits)}` : "";
}

function number(value: number): string {
  return value.toFixed(value < 100 ? 1 : 0);
}

export function threadsText(threads: number): string {
  return threads === 1 ? "1 thread" : `${threads} threads`;
}

/** Without the columns that nothing stands in. */
function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const used = head.flatMap((_, at) => (lines.some((line) => (line[at] ?? "") !== "") ? [at] : []));
  const rule = head.map((_, at) => (at === 0 ? "---" : "--:"));
  return [head, rule, ...lines].map((line) => `| ${used.map((at) => line[at] ?? "").join(" | ")} |`).join("\n");
}
