// Checks a tool's arguments without eval, which a page's content security policy and workerd forbid; the well-known
// validators compile schemas to code. It knows what tools' schemas are made of: types, enumerations, bounds, properties,
// items, combinations and references within the schema. Keywords that it does not know bind nothing, as the standard has it.

/** Nesting of a schema along one value, references included: one that refers to itself alone would have no end. */
const maxDepth = 100;
/** Schemas applied to one value, so that alternatives in alternatives have an end. */
const maxChecks = 100_000;
/** More would not help the model. */
const maxProblems = 5;

type Schema = Readonly<Record<string, unknown>>;

interface Walk {
  readonly root: unknown;
  checksLeft: number;
}

/** Where a value stands, such as `query` or `names[2]`, and how deep the schema is there. */
interface Place {
  readonly path: string;
  readonly depth: number;
}

/**
 * What is wrong with a value by a JSON schema, in words for the model; empty where it fits.
 *
 * @param value Parsed JSON.
 * @param schema A JSON schema; references are followed within it (`#/…`), and others bind nothing.
 */
export function schemaProblems(value: unknown, schema: unknown): readonly string[] {
  const walk: Walk = { root: schema, checksLeft: maxChecks };
  return check(value, schema, { walk, path: "", depth: 0 }).slice(0, maxProblems);
}

type At = Place & { readonly walk: Walk };

function check(value: unknown, schema: unknown, at: At): string[] {
  if (schema === false) return [`${nameOf(at)} is not allowed`];
  if (!isRecord(schema)) return [];
  if (at.depth >= maxDepth || --at.walk.checksLeft < 0) return [`${nameOf(at)} is nested too deep to be checked`];
  const deeper = { ...at, depth: at.depth + 1 };
  const type = typeProblem(value, schema["type"], at);
  // What comes after would only say the same in other words.
  if (type !== undefined) return [type];
  const problems = [...choiceProblems(value, schema, at), ...combinationProblems(value, schema, deeper)];
  const target = typeof schema["$ref"] === "string" ? resolve(at.walk.root, schema["$ref"]) : undefined;
  if (target !== undefined) problems.push(...check(value, target, deeper));
  if (typeof value === "string") problems.push(...stringProblems(value, schema, at));
  else if (typeof value === "number") problems.push(...numberProblems(value, schema, at));
  else if (Array.isArray(value)) problems.push(...arrayProblems(value, schema, deeper));
  else if (isRecord(value)) problems.push(...objectProblems(value, schema, deeper));
  return problems;
}

function typeProblem(value: unknown, type: unknown, at: At): string | undefined {
  const types = (Array.isArray(type) ? type : [type]).filter((name) => typeof name === "string");
  if (types.length === 0) return undefined;
  const actual = typeOf(value);
  const fits = types.some((name) => name === actual || (name === "integer" && Number.isInteger(value)));
  return fits ? undefined : `${nameOf(at)} must be of type ${types.join(" or ")}, not ${actual}`;
}

function choiceProblems(value: unknown, schema: Schema, at: At): string[] {
  const { enum: choices, const: only } = schema;
  const allowed = Array.isArray(choices) ? choices : "const" in schema ? [only] : undefined;
  if (allowed === undefined || allowed.some((choice) => isSame(value, choice))) return [];
  const listed = allowed.map((choice) => JSON.stringify(choice)).join(", ");
  return [`${nameOf(at)} must be ${allowed.length === 1 ? "" : "one of "}${listed}`];
}

function combinationProblems(value: unknown, schema: Schema, at: At): string[] {
  const { allOf, anyOf, oneOf, not } = schema;
  const problems = listOf(allOf).flatMap((part) => check(value, part, at));
  if (Array.isArray(anyOf) && anyOf.length > 0) {
    const tries = anyOf.map((part) => check(value, part, at));
    if (tries.every(({ length }) => length > 0)) problems.push(`${nameOf(at)} fits none of: ${shortest(tries)}`);
  }
  if (Array.isArray(oneOf) && oneOf.length > 0) {
    const tries = oneOf.map((part) => check(value, part, at));
    const fitting = tries.filter(({ length }) => length === 0).length;
    if (fitting === 0) problems.push(`${nameOf(at)} fits none of: ${shortest(tries)}`);
    if (fitting > 1) problems.push(`${nameOf(at)} fits ${fitting} alternatives, and may fit one alone`);
  }
  if (not !== undefined && check(value, not, at).length === 0)
    problems.push(`${nameOf(at)} has a form that is excluded`);
  return problems;
}

/** The alternatives' first problems, joined. */
function shortest(tries: readonly (readonly string[])[]): string {
  return [...new Set(tries.map(([problem]) => problem))].slice(0, maxProblems).join(", or ");
}

function stringProblems(value: string, { minLength, maxLength, pattern }: Schema, at: At): string[] {
  const problems: string[] = [];
  // The standard counts characters, not their halves.
  const length = [...value].length;
  if (typeof minLength === "number" && length < minLength) problems.push(`${nameOf(at)} is shorter than ${minLength}`);
  if (typeof maxLength === "number" && length > maxLength) problems.push(`${nameOf(at)} is longer than ${maxLength}`);
  if (typeof pattern === "string" && !matches(value, pattern)) problems.push(`${nameOf(at)} must match ${pattern}`);
  return problems;
}

function numberProblems(value: number, schema: Schema, at: At): string[] {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  const problems: string[] = [];
  if (typeof minimum === "number" && value < minimum) problems.push(`${nameOf(at)} must be at least ${minimum}`);
  if (typeof maximum === "number" && value > maximum) problems.push(`${nameOf(at)} must be at most ${maximum}`);
  if (typeof exclusiveMinimum === "number" && value <= exclusiveMinimum)
    problems.push(`${nameOf(at)} must be more than ${exclusiveMinimum}`);
  if (typeof exclusiveMaximum === "number" && value >= exclusiveMaximum)
    problems.push(`${nameOf(at)} must be less than ${exclusiveMaximum}`);
  if (typeof multipleOf === "number" && multipleOf > 0) {
    const times = value / multipleOf;
    // 0.3 is no whole multiple of 0.1 to the last bit.
    if (Math.abs(times - Math.round(times)) > 1e-9 * Math.max(1, Math.abs(times)))
      problems.push(`${nameOf(at)} must be a multiple of ${multipleOf}`);
  }
  return problems;
}

function arrayProblems(value: readonly unknown[], schema: Schema, at: At): string[] {
  const { items, prefixItems, minItems, maxItems, uniqueItems } = schema;
  const problems: string[] = [];
  if (typeof minItems === "number" && value.length < minItems)
    problems.push(`${nameOf(at)} has fewer than ${minItems} items`);
  if (typeof maxItems === "number" && value.length > maxItems)
    problems.push(`${nameOf(at)} has more than ${maxItems} items`);
  if (uniqueItems === true && new Set(value.map((item) => canonical(item))).size < value.length)
    problems.push(`${nameOf(at)} has an item twice`);
  const first = listOf(prefixItems);
  for (const [index, item] of value.entries()) {
    if (problems.length >= maxProblems) break;
    problems.push(...check(item, index < first.length ? first[index] : items, { ...at, path: `${at.path}[${index}]` }));
  }
  return problems;
}

function objectProblems(value: Schema, schema: Schema, at: At): string[] {
  const { properties, patternProperties, additionalProperties, required, minProperties, maxProperties } = schema;
  const count = Object.keys(value).length;
  const problems = listOf(required)
    .filter((name) => typeof name === "string" && !Object.hasOwn(value, name))
    .map((name) => `${nameOf(childOf(at, String(name)))} is missing`);
  if (typeof minProperties === "number" && count < minProperties)
    problems.push(`${nameOf(at)} has fewer than ${minProperties} properties`);
  if (typeof maxProperties === "number" && count > maxProperties)
    problems.push(`${nameOf(at)} has more than ${maxProperties} properties`);
  const patterns = isRecord(patternProperties) ? Object.entries(patternProperties) : [];
  for (const [name, item] of Object.entries(value)) {
    if (problems.length >= maxProblems) break;
    const own = isRecord(properties) && Object.hasOwn(properties, name) ? [properties[name]] : [];
    const matching = patterns.filter(([pattern]) => matches(name, pattern)).map(([, part]) => part);
    const known = [...own, ...matching];
    const child = childOf(at, name);
    for (const part of known.length > 0 ? known : [additionalProperties]) problems.push(...check(item, part, child));
  }
  return problems;
}

/** The part of a schema that a reference such as `#/$defs/name` names; undefined where there is none. */
function resolve(root: unknown, reference: string): unknown {
  if (reference !== "#" && !reference.startsWith("#/")) return undefined;
  let found = root;
  for (const step of reference.split("/").slice(1)) {
    const key = decode(step).replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) return undefined;
    // Arrays have their indices as keys, too.
    found = (found as Schema)[key];
  }
  return found;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A pattern that is none binds nothing. */
function matches(text: string, pattern: string): boolean {
  try {
    return new RegExp(pattern, "u").test(text);
  } catch {
    return true;
  }
}

function isSame(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

/** JSON with its keys in order, so that equal values are equal texts. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item)).join()}]`;
  if (!isRecord(value)) return JSON.stringify(value) ?? "null";
  const keys = Object.keys(value).toSorted();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join()}}`;
}

function childOf(at: At, name: string): At {
  return { ...at, path: at.path === "" ? name : `${at.path}.${name}` };
}

function nameOf({ path }: Place): string {
  return path === "" ? "the whole" : path;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function isRecord(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
