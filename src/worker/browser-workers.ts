import type { ModuleWatch } from "./module-watch.ts";

/** Has every worker that this realm starts from now on heard by `watch` first. Browsers need no other shaping. */
export function observeBrowserWorkers(watch: ModuleWatch): void {
  const Native = globalThis.Worker;
  globalThis.Worker = class extends Native {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      this.addEventListener("message", (event: MessageEvent<unknown>) => {
        if (watch.take(event.data)) event.stopImmediatePropagation();
      });
      this.addEventListener("error", (event) => watch.fail(event.message || "its script could not be loaded"));
    }
  };
}
