import { parseArgs } from "node:util";
import type { ParseArgsConfig } from "node:util";

/** Something is wrong with what the user typed. */
export class UsageError extends Error {}

/** @throws {UsageError} */
export function parseOptions<T extends NonNullable<ParseArgsConfig["options"]>>(args: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    // parseArgs says what is wrong with the command line in a TypeError, and throws nothing else.
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** @throws {UsageError} */
export function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= 1_000_000) return value;
  throw new UsageError(`${name} is ${JSON.stringify(text)}; it must be a whole number, at least ${least}`);
}

/**
 * Those of the names that a list with commas has, in the order of the names.
 *
 * @throws {UsageError}
 */
export function namesOf<Name extends string>(option: string, text: string, names: readonly Name[]): Name[] {
  const wanted = text.split(",").map((name) => name.trim());
  const unknown = wanted.filter((name) => !names.some((known) => known === name));
  if (unknown.length > 0) {
    const list = unknown.map((name) => JSON.stringify(name)).join(", ");
    throw new UsageError(`${option} knows no ${list}; there are ${names.join(", ")}`);
  }
  return names.filter((name) => wanted.includes(name));
}
