import type { ModuleObserver } from "../engine/wllama-module.ts";

/** Hears what the module's worker says before wllama does, which loses some kinds of failure. */
export class ModuleWatch {
  #observer: ModuleObserver = { active: () => undefined, crashed: () => undefined };

  /** From now on, reports go to `observer`. */
  observe(observer: ModuleObserver): void {
    this.#observer = observer;
  }

  /** Looks at a message; true: it is dealt with, and not for wllama. */
  take(message: unknown): boolean {
    this.#observer.active();
    if (typeof message !== "object" || message === null || !("verb" in message) || !("args" in message)) return false;
    const { verb, args } = message;
    if (verb !== "signal.abort" || !Array.isArray(args)) return false;
    const [kind, text, , thrown]: unknown[] = args;
    const said = text instanceof Error ? text.message : String(text);
    // What a C++ exception comes out as: wllama reads a result that is not there. The module is still whole.
    if (kind === "exception" && thrown instanceof RangeError && !/stack/i.test(said)) return false;
    this.#observer.crashed(said);
    return true;
  }

  fail(what: string): void {
    this.#observer.crashed(what);
  }
}
