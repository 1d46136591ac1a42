import { Refusal } from "./errors.ts";
import { optionalText } from "./fields.ts";
import type { Fields } from "./fields.ts";

/** @throws {Refusal} 404 if a body asks for none of `names`; of no names everyone may be meant */
export function checkName(body: Fields, names: readonly string[]): void {
  const name = optionalText(body["model"], "model");
  if (name !== undefined && names.length > 0 && !names.includes(name)) throw noModel(name, names);
}

export function noModel(name: string, names: readonly string[]): Refusal {
  return new Refusal(404, `There is no model ${JSON.stringify(name)} here, only ${names.join(", ")}`, {
    param: "model",
    code: "model_not_found",
  });
}
