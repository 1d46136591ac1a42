// Serves wllama to a client: makes this worker's globals such that the library runs, and only then loads it.
import { chooseThreads } from "../engine/choose-threads.ts";
import { serveEngine } from "../engine/host.ts";
import { loadWllama } from "../engine/wllama.ts";
import type { WllamaRequest } from "../engine/wllama.ts";
import type { ModuleHost, ModuleObserver, WllamaConstructor } from "../engine/wllama-module.ts";
import type { ToWorker } from "../engine/protocol.ts";
import { detectRuntime } from "../platform/detect.ts";
import type { ParentPort } from "../platform/worker-port.ts";
import { observeBrowserWorkers } from "./browser-workers.ts";
import { loadBuild } from "./load-build.ts";
import { shapePage, shapeWorkers } from "./nested-worker.ts";
import { ModuleWatch } from "./module-watch.ts";

/** @returns Takes the client's messages. */
export function serveWllama(
  port: ParentPort,
  { entry }: { entry: string },
): (message: ToWorker<WllamaRequest>) => void {
  return serveEngine<WllamaRequest>(port, async (request, load) => {
    const watch = new ModuleWatch();
    globalThis.addEventListener?.("unhandledrejection", (event: Event & { reason?: unknown }) => {
      event.preventDefault();
      load.crashed(event.reason);
    });
    const outside = detectRuntime() !== "browser";
    const { build, bytes } = await loadBuild(request.assets, outside);
    if (outside) {
      shapePage((key, value) => Object.defineProperty(globalThis, key, { value, configurable: true, writable: true }));
      shapeWorkers({
        entry,
        wasm: { url: build.wasmUrl, bytes },
        watch,
      });
    } else {
      observeBrowserWorkers(watch);
    }
    const { Wllama } = await import("@wllama/wllama/esm/index.js");
    const weightBytes = load.files.reduce((sum, { size }) => sum + size, 0);
    const host: ModuleHost = {
      // The library's class has more than is used, and types its parameters more narrowly.
      Wllama: Wllama as unknown as WllamaConstructor,
      build,
      observe: (observer: ModuleObserver) => watch.observe(observer),
    };
    const { threads, why } = chooseThreads(request.threads, weightBytes);
    return loadWllama(request, load, { host, choice: { threads, why: [...request.why, ...why] } });
  });
}
