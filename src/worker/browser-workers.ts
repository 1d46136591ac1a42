import type { ModuleWatch } from "./module-watch.ts";

/** Puts `watch` between wllama and the workers that this realm starts from now on. Browsers need no other shaping. */
export function observeBrowserWorkers(watch: ModuleWatch): void {
  const Native = globalThis.Worker;
  globalThis.Worker = class extends Native {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      this.addEventListener("message", (event: MessageEvent<unknown>) => {
        if (watch.take(event.data, (message) => super.postMessage(message))) event.stopImmediatePropagation();
      });
      this.addEventListener("error", (event) => {
        // Else it goes on to the page.
        event.preventDefault();
        watch.fail(event.message || "its script could not be loaded");
      });
    }

    override postMessage(message: unknown, options?: Transferable[] | StructuredSerializeOptions): void {
      watch.sent(message);
      // The two overloads are one function.
      super.postMessage(message, options as StructuredSerializeOptions);
    }
  };
}
