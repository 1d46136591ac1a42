/**
 * Prints data as Python's `json.dumps(value, ensure_ascii=False)` does: a space after each comma and colon. Models saw
 * tool arguments in this form.
 *
 * @param value Data that JSON can hold.
 */
export function toPythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toPythonJson).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}: ${toPythonJson(item)}`).join(", ")}}`;
}
