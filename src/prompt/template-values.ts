import type { Interpreter } from "@huggingface/jinja";
import { limitError, maxItems, maxTextLength, maxValueDepth, maxWeight, type WorkBudget } from "./template-limits.ts";

/** A value inside the template engine. The package exports no names for these types. */
export type TemplateValue = ReturnType<Interpreter["evaluate"]>;

/** How much printing a value would make: characters, values inside it, and how deep they nest. */
export interface ValueSize {
  readonly weight: number;
  readonly values: number;
  readonly depth: number;
}

// What a number, a key's quotes or a comma cost in print.
const scalarWeight = 8;

/** Measures values, and refuses those past the limits before anything prints, joins or compares them. */
export class ValueScale {
  readonly #budget: WorkBudget;
  // Lists and mappings never change once made, unless they hold a namespace.
  readonly #known: WeakMap<object, ValueSize> = new WeakMap();

  constructor(budget: WorkBudget) {
    this.#budget = budget;
  }

  /** @throws {InferenceError} `template` if the value is larger than the limits allow */
  check(value: TemplateValue): void {
    const content = value.value;
    if (typeof content === "string") {
      this.#budget.spend(content.length >> 4);
      if (content.length > maxTextLength) throw limitError("a text of too many characters", maxTextLength);
    } else if (Array.isArray(content) || content instanceof Map) {
      this.#budget.spend((Array.isArray(content) ? content.length : content.size) >> 3);
      this.measure(value);
    }
  }

  /** @throws {InferenceError} `template` if the value is larger than the limits allow */
  measure(value: TemplateValue): ValueSize {
    return this.#measure(value, 0).size;
  }

  #measure(value: TemplateValue, depth: number): { size: ValueSize; stable: boolean } {
    const content = value.value;
    if (typeof content === "string")
      return { size: { weight: content.length + scalarWeight, values: 1, depth: 0 }, stable: true };
    const isMap = content instanceof Map;
    if (!isMap && !Array.isArray(content)) return { size: { weight: scalarWeight, values: 1, depth: 0 }, stable: true };
    const known = this.#known.get(value);
    if (known) return { size: known, stable: true };
    if (depth > maxValueDepth) throw limitError("a value of too many levels", maxValueDepth);
    const count = isMap ? content.size : content.length;
    if (count > maxItems) throw limitError("a list of too many items", maxItems);
    this.#budget.spend(1 + (count >> 2));

    let weight = scalarWeight;
    let values = 1;
    let deepest = 0;
    // A namespace can be assigned to later, so its size is never remembered.
    let stable = value.type !== "NamespaceValue";
    if (isMap) for (const key of content.keys()) weight += key.length + scalarWeight;
    for (const item of content.values()) {
      const inner = this.#measure(item, depth + 1);
      weight += inner.size.weight;
      values += inner.size.values;
      deepest = Math.max(deepest, inner.size.depth);
      stable &&= inner.stable;
      if (weight > maxWeight) throw limitError("a list of too many characters", maxWeight);
    }
    const size = { weight, values, depth: deepest + 1 };
    if (stable) this.#known.set(value, size);
    return { size, stable };
  }
}
