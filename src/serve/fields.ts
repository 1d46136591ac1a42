// Readers of fields: each gives the value or undefined where there is none (null counts as none, as with OpenAI), and
// refuses what is of another kind with 400, naming the field.
import { badField } from "./errors.ts";

/** A JSON object that came from outside. */
export type Fields = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function optionalText(value: unknown, param: string): string | undefined {
  if (value == null) return undefined;
  if (typeof value === "string") return value;
  throw badField(param, `${param} must be a string, not ${kindOf(value)}`);
}

export function requiredText(value: unknown, param: string): string {
  const text = optionalText(value, param);
  if (text !== undefined && text !== "") return text;
  throw badField(param, `${param} must be a string that is not empty`);
}

export function optionalFlag(value: unknown, param: string): boolean | undefined {
  if (value == null) return undefined;
  if (typeof value === "boolean") return value;
  throw badField(param, `${param} must be true or false, not ${kindOf(value)}`);
}

export function optionalRecord(value: unknown, param: string): Fields | undefined {
  if (value == null) return undefined;
  if (isRecord(value)) return value;
  throw badField(param, `${param} must be an object, not ${kindOf(value)}`);
}

export function optionalList(value: unknown, param: string): readonly unknown[] | undefined {
  if (value == null) return undefined;
  if (Array.isArray(value)) return value;
  throw badField(param, `${param} must be an array, not ${kindOf(value)}`);
}

export interface NumberRule {
  readonly min: number;
  readonly max: number;
  /** Whether only whole numbers are taken. */
  readonly whole?: boolean;
}

export function optionalNumber(
  value: unknown,
  param: string,
  { min, max, whole = false }: NumberRule,
): number | undefined {
  if (value == null) return undefined;
  const isGood = typeof value === "number" && value >= min && value <= max && (!whole || Number.isInteger(value));
  if (isGood) return value;
  const given = typeof value === "number" ? String(value) : kindOf(value);
  throw badField(param, `${param} must be a ${whole ? "whole number" : "number"} from ${min} to ${max}, not ${given}`);
}

export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "string") return JSON.stringify(value.slice(0, 40));
  return typeof value === "object" ? "an object" : String(value);
}

/** What a field may say without changing anything: it is refused when it says anything else. */
export type Neutral = readonly unknown[];

/**
 * Refuses fields that would change the answer, and that nothing here heeds.
 *
 * @param refused Each field, with the values that ask for nothing.
 */
export function refuseUnheeded(body: Fields, refused: Readonly<Record<string, Neutral>>): void {
  for (const [param, neutral] of Object.entries(refused)) {
    const value = body[param];
    if (value == null || neutral.includes(value) || isEmpty(value)) continue;
    const only = neutral.length > 0 ? ` but ${neutral.map((item) => JSON.stringify(item)).join(" or ")}` : "";
    throw badField(param, `${param} is not supported${only}; leave it out`);
  }
}

function isEmpty(value: unknown): boolean {
  return (Array.isArray(value) && value.length === 0) || (isRecord(value) && Object.keys(value).length === 0);
}
