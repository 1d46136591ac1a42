import { equal, failure, failsWith, ok } from "../assert.ts";
import type { ConformanceCase } from "../contract.ts";
import { answers, greedy, question, user } from "./ask.ts";

/** `loadModel()`, `model.info`, `capabilities()`, `close()`. */
export const loading: readonly ConformanceCase[] = [
  {
    name: "loadModel() without a source loads the bundled model",
    smoke: true,
    async run(sdk, { load, engine, golden }) {
      const model = await sdk.loadModel(undefined, load);
      const { info } = model;
      equal(info.architecture, "glm4", "info.architecture");
      equal(info.name, "ruminate-nano", "info.name");
      equal(info.contextTrained, 512, "info.contextTrained");
      equal(info.vocabularySize, 1024, "info.vocabularySize");
      ok(info.sizeBytes > 4e6 && info.sizeBytes < 5e6, `info.sizeBytes of ${golden.model}: ${info.sizeBytes}`);
      equal(info.engine, engine.engine, "info.engine");
      ok(["fixed", "relaxed"].includes(info.simd), `info.simd: ${info.simd}`);
      ok(["wasm32", "wasm64"].includes(info.memory), `info.memory: ${info.memory}`);
      if (engine.simd !== undefined) equal(info.simd, engine.simd, "info.simd");
      if (engine.memory !== undefined) equal(info.memory, engine.memory, "info.memory");
      equal(info.metadata.get("general.architecture"), "glm4", 'info.metadata of "general.architecture"');
      await answers(model);
      await model.close();
    },
  },
  {
    name: "loadModel() runs on as many threads as the host gives",
    smoke: true,
    needs: "threads",
    async run(_, { model, threadsExpected }) {
      equal((await model()).info.threads, threadsExpected, "info.threads");
    },
    async absent(sdk, { model, threads }) {
      ok(threads > 1, "a gap of one thread is none");
      equal((await model()).info.threads, 1, "info.threads");
      const { why } = await sdk.capabilities();
      ok(
        why.some((sentence) => /thread/i.test(sentence)),
        `capabilities().why names no threads: ${why.join(" ")}`,
      );
    },
  },
  {
    name: "capabilities() tells the runtime, its isolation, and why something is missing",
    smoke: true,
    async run(sdk, { runtime, isolated }) {
      const seen = await sdk.capabilities();
      const browser = runtime === "chromium" || runtime === "firefox";
      equal(seen.runtime, browser ? "browser" : runtime, "runtime");
      equal(seen.simd !== "none", true, "has SIMD");
      ok(seen.threads >= 1, `threads: ${seen.threads}`);
      ok(seen.maxMemory >= 2 ** 31, `maxMemory: ${seen.maxMemory}`);
      if (!browser) return;
      equal(globalThis.crossOriginIsolated, isolated, "the page itself");
      equal(seen.crossOriginIsolated, isolated, "crossOriginIsolated");
      if (isolated) return;
      equal(seen.threads, 1, "threads without isolation");
      ok(
        seen.why.some((sentence) => /cross-origin/i.test(sentence)),
        `why does not name isolation: ${seen.why.join(" ")}`,
      );
    },
  },
  {
    name: "loadModel() reports progress that only grows and ends complete",
    async run(sdk, { load, urls }) {
      const events: { phase: string; loaded: number; total?: number }[] = [];
      const model = await sdk.loadModel(urls.model, { ...load, onprogress: (event) => events.push({ ...event }) });
      await model.close();
      ok(events.length > 0, "no progress was reported");
      const phases = [...new Set(events.map((event) => event.phase))];
      equal(
        phases,
        ["fetch", "verify", "load"].filter((phase) => phases.includes(phase)),
        "the order of the phases",
      );
      for (const phase of phases) {
        const loaded = events.filter((event) => event.phase === phase).map((event) => event.loaded);
        equal(
          loaded,
          loaded.toSorted((a, b) => a - b),
          `bytes of phase ${phase}`,
        );
      }
      const last = events.at(-1);
      ok(last?.total !== undefined && last.loaded === last.total, `the last event: ${JSON.stringify(last)}`);
    },
  },
  {
    name: "loadModel() stops at an aborted signal, with its reason",
    async run(sdk, { load, urls }) {
      const reason = new Error("not wanted any more");
      const before = await failure(
        () => sdk.loadModel(urls.model, { ...load, signal: AbortSignal.abort(reason) }),
        "aborted before",
      );
      equal(before, reason, "the reason");
      const controller = new AbortController();
      const onprogress = (): void => controller.abort(reason);
      const within = await failure(
        () => sdk.loadModel(urls.model, { ...load, signal: controller.signal, onprogress }),
        "aborted at the first progress",
      );
      equal(within, reason, "the reason");
    },
  },
  {
    name: "loadModel() loads a second model beside the first",
    async run(sdk, { load, model }) {
      const first = await model();
      const second = await sdk.loadModel(undefined, load);
      // In turn: four threads that wait for each other by spinning crawl on two cores.
      await answers(first);
      await answers(second);
      await second.close();
      await answers(first);
    },
  },
  {
    name: "close() is idempotent, and a closed model rejects with closed",
    async run(sdk, { load }) {
      const model = await sdk.loadModel(undefined, load);
      const session = await model.session();
      await model.close();
      await model.close();
      await failsWith(sdk, "closed", () => model.chat(user(question)).result());
      await failsWith(sdk, "closed", () => model.generate("1").result());
      await failsWith(sdk, "closed", () => model.count("1"));
      await failsWith(sdk, "closed", () => model.session());
      await failsWith(sdk, "closed", () => session.prompt(question).result());
    },
  },
  {
    name: "close() ends what is running and what waits, with closed",
    async run(sdk, { load }) {
      const model = await sdk.loadModel(undefined, load);
      const running = model.chat(user(question), greedy)[Symbol.asyncIterator]();
      await running.next();
      const waiting = failsWith(sdk, "closed", () => model.chat(user(question), greedy).result());
      const rest = failsWith(sdk, "closed", async () => {
        while (!(await running.next()).done);
      });
      await model.close();
      await Promise.all([waiting, rest]);
    },
  },
];
