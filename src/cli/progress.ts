import { fileSize, printable } from "./format.ts";
import type { Output } from "./host.ts";
import type { LoadOptions } from "./sdk.ts";

/** One report of a load. */
export type ProgressEvent = Parameters<NonNullable<LoadOptions["onprogress"]>>[0];

const verbs: Readonly<Record<ProgressEvent["phase"], string>> = {
  fetch: "Fetching",
  verify: "Checking",
  load: "Loading",
};
/** A load that is over before this shows nothing. */
const quietMs = 150;
const redrawMs = 80;
const barWidth = 24;

/**
 * One line about a load, cut to `columns`: phase, bar, percentage, bytes, rate, and of what comes in the time left.
 *
 * @param about `from`: bytes that were here when the phase began.
 */
export function progressLine(
  event: ProgressEvent,
  { elapsedMs, columns, from = 0 }: { elapsedMs: number; columns: number; from?: number },
): string {
  const { phase, loaded, total, file } = event;
  const share = total ? Math.min(1, loaded / total) : undefined;
  const filled = Math.round((share ?? 0) * barWidth);
  const rate = elapsedMs > 0 ? Math.max(0, loaded - from) / (elapsedMs / 1000) : 0;
  const left = phase === "fetch" && total && rate > 0 && loaded < total ? (total - loaded) / rate : undefined;
  const words = [
    verbs[phase],
    ...(file ? [printable(file)] : []),
    ...(share === undefined
      ? []
      : [`[${"#".repeat(filled)}${"-".repeat(barWidth - filled)}]`, `${Math.floor(share * 100)} %`]),
    total ? `${fileSize(loaded)} of ${fileSize(total)}` : fileSize(loaded),
    ...(rate > 0 ? [`${(rate / 1e6).toFixed(1)} MB/s`] : []),
    ...(left === undefined ? [] : [`${timeLeft(left)} left`]),
  ];
  return words.join("  ").slice(0, Math.max(0, columns - 1));
}

function timeLeft(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** The progress of one load, redrawn in place on a terminal. */
export class Progress {
  readonly #output: Output;
  readonly #now: () => number;
  readonly #startedAt: number;
  #phase: ProgressEvent["phase"] | undefined;
  #phaseAt = 0;
  #phaseFrom = 0;
  #drawnAt = -Infinity;
  #drawn = false;

  constructor(output: Output, now: () => number) {
    this.#output = output;
    this.#now = now;
    this.#startedAt = now();
  }

  update(event: ProgressEvent): void {
    const now = this.#now();
    const isNewPhase = event.phase !== this.#phase;
    if (isNewPhase) {
      this.#phase = event.phase;
      this.#phaseAt = now;
      this.#phaseFrom = event.loaded;
    }
    const isDue = isNewPhase || event.loaded === event.total || now - this.#drawnAt >= redrawMs;
    if (!isDue || now - this.#startedAt < quietMs) return;
    this.#drawnAt = now;
    this.#drawn = true;
    const line = progressLine(event, {
      elapsedMs: now - this.#phaseAt,
      columns: this.#output.columns,
      from: this.#phaseFrom,
    });
    void this.#output.write(`\r\u001b[2K${line}`);
  }

  /** Takes the line away. */
  async clear(): Promise<void> {
    if (this.#drawn) await this.#output.write("\r\u001b[2K");
    this.#drawn = false;
  }
}
