import type { Model } from "../index.ts";
import { abortable } from "../waiting.ts";
import { notLoaded } from "./errors.ts";

/** A model that a handler serves, loaded when it is first wanted if it is not there yet. */
export class ModelHolder {
  readonly #load: (() => Model | Promise<Model>) | undefined;
  readonly #onerror: (error: unknown) => void;
  /** How many runs each model has that has any. */
  readonly #runs = new Map<Model, number>();
  #current: Model | undefined;
  #loading: Promise<Model | undefined> | undefined;

  /** @param source The model, or what loads it. */
  constructor(source: Model | (() => Model | Promise<Model>), onerror: (error: unknown) => void) {
    this.#onerror = onerror;
    if (typeof source === "function") this.#load = source;
    else this.#current = source;
  }

  /** The model, if it is there. */
  get current(): Model | undefined {
    return this.#current;
  }

  /**
   * The model. All who ask while it loads wait for the same load; after one that failed, who asks next starts another. A
   * load goes on when those who wait for it have gone: the next one has it.
   *
   * @throws {Refusal} 503 if it could not be loaded; why was told once
   * @throws `signal.reason` as soon as it is aborted
   */
  async get(signal: AbortSignal): Promise<Model> {
    signal.throwIfAborted();
    if (this.#current) return this.#current;
    this.#loading ??= this.#start();
    const model = await abortable(this.#loading, signal);
    if (!model) throw notLoaded();
    return model;
  }

  /** Has a run counted. @returns What tells that it has ended, however it did; called twice it does nothing more. */
  use(model: Model): () => void {
    this.#runs.set(model, (this.#runs.get(model) ?? 0) + 1);
    let isRunning = true;
    return () => {
      if (!isRunning) return;
      isRunning = false;
      const others = (this.#runs.get(model) ?? 0) - 1;
      if (others > 0) this.#runs.set(model, others);
      else {
        this.#runs.delete(model);
        this.#closeForgotten(model);
      }
    };
  }

  /**
   * Forgets a model that died, where another can be loaded, and closes it when its last run has ended.
   *
   * @returns Whether another can be loaded.
   */
  replace(dead: Model): boolean {
    if (!this.#load) return false;
    // Several runs die with one model, and the next may be there already.
    if (this.#current === dead) {
      this.#current = undefined;
      this.#closeForgotten(dead);
    }
    return true;
  }

  /** Nobody waits for it, since a dead engine may take its time. */
  #closeForgotten(model: Model): void {
    // What still runs on it is told what it died of, not that it was closed.
    if (model === this.#current || this.#runs.has(model)) return;
    Promise.resolve()
      .then(() => model.close())
      .catch((error: unknown) => this.#onerror(error));
  }

  async #start(): Promise<Model | undefined> {
    try {
      // Not at once: what throws at once would be forgotten before it is kept.
      const loaded: unknown = await Promise.resolve().then(this.#load);
      if (!isModel(loaded)) {
        throw new TypeError(
          `The function that createHandler() was given to load a model returned ${shown(loaded)}; it must return a model, or a promise of one: () => loadModel(source)`,
        );
      }
      this.#current = loaded;
      return loaded;
    } catch (error) {
      this.#onerror(error);
      return undefined;
    } finally {
      this.#loading = undefined;
    }
  }
}

/** Whether it has what everything here needs of a model. */
export function isModel(value: unknown): value is Model {
  if (typeof value !== "object" || value === null || !("chat" in value) || !("info" in value)) return false;
  return typeof value.chat === "function" && typeof value.info === "object" && value.info !== null;
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === "object" ? "an object that is no model" : `a ${typeof value}`;
}
