import { type Environment, Interpreter, type parse } from "@huggingface/jinja";
import { checkGrowth } from "./template-growth.ts";
import { limitError, maxDepth, WorkBudget } from "./template-limits.ts";
import { type TemplateValue, ValueScale } from "./template-values.ts";

/** A parsed template. The package exports no names for its syntax tree. */
export type TemplateProgram = ReturnType<typeof parse>;

/** The fields of a syntax node that the bounds look at. */
export interface TemplateNode {
  readonly type: string;
  readonly value?: unknown;
  readonly object?: TemplateNode;
  readonly property?: TemplateNode;
  readonly computed?: boolean;
  readonly callee?: TemplateNode;
  readonly filter?: TemplateNode;
  readonly call?: TemplateNode;
}

/** What is known about a template before it runs. */
export interface TemplateFacts {
  readonly nodes: number;
  /** Nodes whose value is only looked into (`messages` in `messages[0]`), which costs nothing whatever its size. */
  readonly containers: ReadonlySet<object>;
  /** Nodes that a `for` walks. */
  readonly iterables: ReadonlySet<object>;
}

interface Frame {
  readonly node: TemplateNode;
  readonly parent: Frame | undefined;
  readonly depth: number;
  /** Values of the nodes evaluated directly below this one, where the bounds need them. */
  readonly received: TemplateValue[] | undefined;
}

// One round of a loop makes a scope and the nine values of `loop`.
const workPerRound = 8;
// break and continue are exceptions inside the engine.
const workPerJump = 300;
// Each text makes all its methods anew when one is asked for.
const workPerMethod = 16;
// A comparison function for each pair that is compared.
const sortWorkPerItem = 16;
const watched: ReadonlySet<string> = new Set([
  "FilterExpression",
  "CallExpression",
  "CallStatement",
  "MemberExpression",
]);
const emptyList = { type: "ArrayLiteral", value: [] };
const growingFilters: ReadonlySet<string> = new Set(["replace", "indent", "join"]);

/** Evaluates one template once, and stops at the limits of `template-limits.ts`. */
export class BoundedInterpreter extends Interpreter {
  readonly #facts: TemplateFacts;
  readonly #budget: WorkBudget = new WorkBudget();
  readonly #scale: ValueScale = new ValueScale(this.#budget);
  // Which value a method belongs to: a template can keep it in a variable and call it later.
  readonly #methods: WeakMap<object, { operand: TemplateValue; name: string }> = new WeakMap();
  #frame: Frame | undefined;

  constructor(environment: Environment, facts: TemplateFacts) {
    super(environment);
    this.#facts = facts;
  }

  override evaluate(statement: Parameters<Interpreter["evaluate"]>[0], environment: Environment): TemplateValue {
    if (!statement) return super.evaluate(statement, environment);
    // Every syntax node has a type; the other fields are read only after they are tested.
    const node: TemplateNode = statement;
    this.#budget.spend(this.#cost(node));
    const parent = this.#frame;
    const depth = (parent?.depth ?? 0) + 1;
    if (depth > maxDepth) throw limitError("too many levels", maxDepth);
    if (node.type === "FilterStatement") checkFilterStatement(node);
    const frame: Frame = { node, parent, depth, received: watched.has(node.type) ? [] : undefined };
    this.#frame = frame;
    let value: TemplateValue;
    try {
      // The package returns nothing at all for the first item of an empty list.
      value =
        this.#lookUp(node, environment) ??
        super.evaluate(statement, environment) ??
        super.evaluate(undefined, environment);
    } finally {
      this.#frame = parent;
    }
    // As in Python, a loop over what is not defined has no rounds; the package fails there.
    if (value.type === "UndefinedValue" && this.#facts.iterables.has(node))
      value = super.evaluate(emptyList, environment);
    this.#check(node, value);
    this.#remember(frame, value);
    if (parent?.received) {
      parent.received.push(value);
      this.#predict(parent.node, node, parent.received);
    }
    return value;
  }

  #cost({ type }: TemplateNode): number {
    // Both scan their whole body each time they are reached.
    if (type === "Macro" || type === "CallStatement") return this.#facts.nodes;
    return type === "Break" || type === "Continue" ? workPerJump : 1;
  }

  // The package walks scopes recursively and throws for unknown names, 20 times slower than this.
  #lookUp(node: TemplateNode, environment: Environment): TemplateValue | undefined {
    if (node.type !== "Identifier" || typeof node.value !== "string") return undefined;
    let hops = 0;
    for (let scope: Environment | undefined = environment; scope; scope = scope.parent) {
      const value = scope.variables.get(node.value);
      if (value) return value;
      if (++hops % 16 === 0) this.#budget.spend(1);
    }
    return super.evaluate(undefined, environment);
  }

  #check(node: TemplateNode, value: TemplateValue): void {
    const content = value.value;
    if (this.#facts.iterables.has(node)) {
      const rounds = Array.isArray(content) ? content.length : content instanceof Map ? content.size : 0;
      this.#budget.spend(rounds * workPerRound);
    }
    if (typeof content === "string" || !this.#facts.containers.has(node)) this.#scale.check(value);
  }

  #remember({ node, received }: Frame, value: TemplateValue): void {
    if (node.type !== "MemberExpression" || typeof value.value !== "function") return;
    const operand = received?.[0];
    const name = node.computed ? received?.[1]?.value : node.property?.value;
    this.#budget.spend(workPerMethod);
    if (operand && typeof name === "string") this.#methods.set(value, { operand, name });
  }

  /** Called when `child` has its value: before the node above it goes on, so before a filter or method runs. */
  #predict(node: TemplateNode, child: TemplateNode, received: readonly TemplateValue[]): void {
    if (node.type === "FilterExpression") {
      const [operand, ...args] = received;
      const name = node.filter && filterName(node.filter);
      if (args.length === 0 && (name === "sort" || name === "dictsort") && operand) {
        this.#budget.spend(this.#scale.measure(operand).values * sortWorkPerItem);
      }
      if (operand && args.length > 0 && name !== undefined)
        checkGrowth({ name, operand, args }, this.#scale, this.#budget);
      return;
    }
    // The callee is evaluated after the arguments, just before the call.
    const callee = node.type === "CallStatement" ? node.call?.callee : node.callee;
    const last = received.at(-1);
    const method = child === callee && last && this.#methods.get(last);
    if (method) checkGrowth({ ...method, args: received.slice(0, -1) }, this.#scale, this.#budget);
  }
}

// The text of a {% filter %} block is put together inside the engine, so the result cannot be predicted.
function checkFilterStatement({ filter }: TemplateNode): void {
  const name = filter?.type === "CallExpression" ? filterName(filter) : undefined;
  if (name !== undefined && growingFilters.has(name)) throw limitError(`a block by {% filter ${name}(…) %}`, 0);
}

function filterName(filter: TemplateNode): string | undefined {
  const name = filter.type === "CallExpression" ? filter.callee?.value : filter.value;
  return typeof name === "string" ? name : undefined;
}
