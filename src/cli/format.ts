import type { Result } from "./sdk.ts";

/** Bytes of a file or a download, in powers of 1000: `4.4 MB`. */
export function fileSize(bytes: number): string {
  return scaled(bytes, 1000, ["B", "kB", "MB", "GB", "TB"]);
}

/** Bytes of memory, in powers of 1024: `320.0 MiB`. */
export function memorySize(bytes: number): string {
  return scaled(bytes, 1024, ["B", "KiB", "MiB", "GiB", "TiB"]);
}

/** A count in words: `4.07 million`, `9.4 billion`. */
export function largeCount(count: number): string {
  if (count >= 1e9) return `${trimZeros((count / 1e9).toFixed(2))} billion`;
  if (count >= 1e6) return `${trimZeros((count / 1e6).toFixed(2))} million`;
  return grouped(count);
}

/** A whole number with a comma between thousands, whatever the locale. */
export function grouped(count: number): string {
  return Math.round(count).toLocaleString("en-US");
}

/** A time in seconds: `0.12 s`. */
export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(milliseconds < 10_000 ? 2 : 1)} s`;
}

/** Label and value in two columns. */
export function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(0, ...rows.map(([label]) => label.length));
  return rows.map(([label, value]) => `${label.padEnd(width)}  ${printable(value)}\n`).join("");
}

/** What a run cost, in one line. */
export function statsLine({ usage, timings, finishReason, reasoningEnd }: Result): string {
  const counts = [
    `${grouped(usage.prompt)} prompt tokens${usage.cached > 0 ? ` (${grouped(usage.cached)} cached)` : ""}`,
    `${grouped(usage.reasoning)} thought`,
    `${grouped(usage.text)} answer`,
  ];
  const notes = [
    counts.join(", "),
    `${timings.tokensPerSecond.toFixed(1)} tokens/s`,
    `first token after ${seconds(timings.firstTokenMs)}`,
    ...(reasoningEnd === "budget" ? ["thoughts ended at the budget"] : []),
    ...(finishReason === "length" ? ["cut at the token limit"] : []),
  ];
  return notes.join(" | ");
}

/** Text that can't steer a terminal: control characters but tab and newline are replaced. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\u{fffd}");
}

function scaled(value: number, base: number, units: readonly string[]): string {
  const scale = units.findLastIndex((_unit, power) => value >= base ** power);
  return scale <= 0 ? `${value} ${units[0]}` : `${(value / base ** scale).toFixed(1)} ${units[scale]}`;
}

function trimZeros(decimal: string): string {
  return decimal.replace(/\.?0+$/, "");
}
