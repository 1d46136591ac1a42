import type { ModuleObserver } from "../engine/wllama-module.ts";

// What the module logs when a model has sampled bytes that are no UTF-8: the step's result can't be written as JSON.
const notText = "[json.exception.type_error.316]";

/** Stands between wllama and its module's worker: hears the kinds of failure that wllama loses, and cures one. */
export class ModuleWatch {
  #observer: ModuleObserver = { active: () => undefined, crashed: () => undefined };
  #lastError = "";
  #lastPoll: unknown;

  /** From now on, reports go to `observer`. */
  observe(observer: ModuleObserver): void {
    this.#observer = observer;
  }

  /** Sees what wllama sends to the worker. */
  sent(message: unknown): void {
    const { verb, args } = fieldsOf(message);
    this.#lastPoll = verb === "wllama.action" && args[0] === "get_result" ? message : undefined;
  }

  /**
   * Sees what the worker sends.
   *
   * @param resend Sends the worker a message in wllama's name.
   * @returns Whether it is dealt with, and not for wllama.
   */
  take(message: unknown, resend: (message: unknown) => void): boolean {
    this.#observer.active();
    const { verb, args } = fieldsOf(message);
    if (verb === "console.error") this.#lastError = String(args[0]);
    if (verb !== "signal.abort") return false;
    const [kind, text, , thrown] = args;
    const said = text instanceof Error ? text.message : String(text);
    const error = this.#lastError;
    this.#lastError = "";
    // What a C++ exception comes out as: wllama reads a result that is not there. The module is still whole.
    if (kind === "exception" && thrown instanceof RangeError && !/stack/i.test(said)) {
      if (!error.includes(notText) || this.#lastPoll === undefined) return false;
      // The step is lost, not the completion: ask for the next one.
      resend(this.#lastPoll);
      return true;
    }
    this.#observer.crashed(said);
    return true;
  }

  fail(what: string): void {
    this.#observer.crashed(what);
  }
}

function fieldsOf(message: unknown): { readonly verb?: unknown; readonly args: readonly unknown[] } {
  if (typeof message !== "object" || message === null || !("verb" in message)) return { args: [] };
  const args: unknown = "args" in message ? message.args : undefined;
  return { verb: message.verb, args: Array.isArray(args) ? args : [] };
}
