// From single measurements to medians, and to ratios of medians.
import type { Measurement, Speeds } from "./run-subject.ts";
import { references } from "./subjects.ts";
import type { Subject } from "./subjects.ts";

/** One model on so many threads. */
export interface Group {
  readonly model: string;
  readonly bytes: number;
  readonly threads: number;
  readonly rows: readonly Row[];
}

export interface Row {
  readonly id: string;
  readonly label: string;
  readonly family: Subject["family"];
  /** What went wrong, instead of numbers. */
  readonly error?: string;
  readonly median?: Medians;
  readonly ratios?: Partial<Record<keyof typeof references, Speeds>>;
  readonly measurements: readonly Measurement[];
}

export interface Medians {
  readonly cold: Speeds;
  /** Those of the first runs, where there were no others. */
  readonly warm: Speeds;
  readonly loadMs: number;
  readonly peakBytes?: number;
}

export interface Measured {
  readonly subject: Subject;
  readonly measurements: readonly Measurement[];
  readonly error?: string;
}

export function summarize(measured: readonly Measured[]): Row[] {
  const all = new Map(measured.map(({ subject, measurements }) => [subject.id, medians(measurements)]));
  return measured.map(({ subject: { id, label, family }, measurements, error }) => {
    const median = all.get(id);
    const ratios: Row["ratios"] = median
      ? {
          ...ratioTo("wllama", median, all.get(references.wllama)),
          ...ratioTo("avx2", median, all.get(references.avx2)),
          ...ratioTo("best", median, all.get(references.best)),
        }
      : {};
    return {
      id,
      label,
      family,
      ...(error === undefined ? {} : { error }),
      ...(median ? { median, ratios } : {}),
      measurements,
    };
  });
}

function ratioTo(name: keyof typeof references, median: Medians, other: Medians | undefined): Row["ratios"] {
  if (!other) return {};
  const { prefill, decode } = median.warm;
  return { [name]: { prefill: prefill / other.warm.prefill, decode: decode / other.warm.decode } };
}

function medians(measurements: readonly Measurement[]): Medians | undefined {
  if (measurements.length === 0) return undefined;
  const cold = measurements.map((measurement) => measurement.cold);
  const warm = measurements.flatMap((measurement) => measurement.warm);
  const peaks = measurements.map(({ peakBytes }) => peakBytes).filter((bytes) => bytes !== undefined);
  return {
    cold: medianSpeeds(cold),
    warm: medianSpeeds(warm.length > 0 ? warm : cold),
    loadMs: median(measurements.map(({ loadMs }) => loadMs)),
    ...(peaks.length > 0 ? { peakBytes: median(peaks) } : {}),
  };
}

function medianSpeeds(speeds: readonly Speeds[]): Speeds {
  return { prefill: median(speeds.map(({ prefill }) => prefill)), decode: median(speeds.map(({ decode }) => decode)) };
}

/** @throws {RangeError} of no numbers */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) throw new RangeError("There is no median of no numbers");
  return (upper + lower) / 2;
}
