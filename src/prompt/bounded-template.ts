import { Environment, parse, tokenize } from "@huggingface/jinja";
import { InferenceError } from "../errors.ts";
import {
  BoundedInterpreter,
  type TemplateFacts,
  type TemplateNode,
  type TemplateProgram,
} from "./bounded-interpreter.ts";
import { formatDate } from "./strftime.ts";
import {
  limitError,
  maxDepth,
  maxItems,
  maxTemplateLength,
  maxTemplateNodes,
  maxWhitespaceRun,
} from "./template-limits.ts";

/** A chat template that is ready to render, inside the limits of `template-limits.ts`. */
export interface BoundedTemplate {
  /**
   * @param variables Plain data: strings, numbers, booleans, null, arrays and objects of them.
   * @throws {InferenceError} `template` if the template fails, refuses its input, or goes past a limit
   */
  render(variables: Readonly<Record<string, unknown>>, options?: { now?: Date }): string;
}

/**
 * Parses a chat template in jinja.
 *
 * @throws {InferenceError} `template` if it does not parse or goes past a limit
 */
export function compileTemplate(source: string): BoundedTemplate {
  if (source.length > maxTemplateLength) throw limitError("a source of too many characters", maxTemplateLength);
  if (new RegExp(`\\s{${maxWhitespaceRun + 1}}`).test(source))
    throw limitError("too much whitespace in a row", maxWhitespaceRun);
  const { program, facts } = guard("parse", () => {
    // As the models' own tooling sets them.
    const parsed = parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true }));
    return { program: parsed, facts: inspect(parsed) };
  });
  return {
    render: (variables, { now } = {}) =>
      guard("render", () => {
        const environment = new Environment();
        for (const [name, value] of Object.entries({ ...globals, ...variables })) environment.set(name, value);
        // Without a date the name stays undefined, and templates that ask for one fall back to a fixed date.
        if (now) environment.set("strftime_now", (format: unknown) => formatDate(now, String(format)));
        return String(new BoundedInterpreter(environment, facts).run(program).value);
      }),
  };
}

const globals: Readonly<Record<string, unknown>> = {
  true: true,
  True: true,
  false: false,
  False: false,
  none: null,
  None: null,
  range: boundedRange,
  raise_exception: (message: unknown) => {
    throw new InferenceError("template", `The model's chat template refuses this conversation: ${String(message)}`);
  },
};

/** Python's `range`, which checks how long the list will be before it makes one. */
function boundedRange(first: unknown, second?: unknown, third?: unknown): number[] {
  const [start, stop, step] = typeof second === "number" ? [first, second, third ?? 1] : [0, first, 1];
  if (![start, stop, step].every(Number.isSafeInteger) || step === 0) {
    throw new TypeError("range() takes whole numbers, and a step other than 0");
  }
  const [from, to, by] = [Number(start), Number(stop), Number(step)];
  const length = Math.max(0, Math.ceil((to - from) / by));
  if (length > maxItems) throw limitError("a list of too many items", maxItems);
  return Array.from({ length }, (_, index) => from + index * by);
}

/** Walks the syntax tree without recursion, since its depth is not known yet. */
function inspect(program: TemplateProgram): TemplateFacts {
  const containers = new Set<object>();
  const iterables = new Set<object>();
  const open: { node: object; depth: number }[] = [{ node: program, depth: 1 }];
  let nodes = 0;
  for (let next = open.pop(); next; next = open.pop()) {
    const { node, depth } = next;
    if (++nodes > maxTemplateNodes) throw limitError("too many parts", maxTemplateNodes);
    if (depth > maxDepth) throw limitError("too many levels", maxDepth);
    classify(node, { containers, iterables });
    for (const child of children(node)) open.push({ node: child, depth: depth + 1 });
  }
  return { nodes, containers, iterables };
}

function classify(node: object, { containers, iterables }: { containers: Set<object>; iterables: Set<object> }): void {
  const { object, property, iterable } = node as TemplateNode & { iterable?: TemplateNode & { lhs?: object } }; // read defensively below
  if (object && property?.type !== "SliceExpression") containers.add(object);
  if (!iterable) return;
  iterables.add(iterable.type === "SelectExpression" && iterable.lhs ? iterable.lhs : iterable);
}

function children(node: object): object[] {
  return Object.values(node).flatMap((field: unknown) => {
    const items: unknown[] = field instanceof Map ? [...field].flat() : Array.isArray(field) ? field : [field];
    return items.filter((item) => typeof item === "object" && item !== null && "type" in item);
  });
}

/** Gives every failure inside the template engine, stack overflow included, the shape of this library's errors. */
function guard<T>(action: "parse" | "render", work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (InferenceError.is(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new InferenceError(
      "template",
      `Cannot ${action} the model's chat template: ${reason}; pass another template`,
      { cause: error },
    );
  }
}
