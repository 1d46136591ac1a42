import type { Model } from "../index.ts";

/** A model that a handler serves, loaded when it is first wanted if it is not there yet. */
export class ModelHolder {
  readonly #load: (() => Model | Promise<Model>) | undefined;
  readonly #onerror: (error: unknown) => void;
  #model: Promise<Model | undefined> | undefined;

  /** @param source The model, or what loads it. */
  constructor(source: Model | (() => Model | Promise<Model>), onerror: (error: unknown) => void) {
    this.#onerror = onerror;
    if (typeof source === "function") this.#load = source;
    else this.#model = Promise.resolve(source);
  }

  /**
   * The model. All who ask while it loads wait for the same load; after one that failed, who asks next starts another.
   *
   * @returns Undefined if it could not be loaded; why was told once.
   */
  get(): Promise<Model | undefined> {
    this.#model ??= this.#start();
    return this.#model;
  }

  /** Forgets a model that died, where another can be loaded. @returns Whether it can. */
  replace(dead: Model): boolean {
    if (!this.#load) return false;
    const held = this.#model;
    void held?.then((model) => {
      // Several runs die with one model, and the next may be loading already.
      if (model === dead && this.#model === held) this.#model = undefined;
    });
    return true;
  }

  #start(): Promise<Model | undefined> {
    // Not at once: what throws at once would be forgotten before it is kept.
    return Promise.resolve()
      .then(this.#load)
      .catch((error: unknown) => {
        this.#model = undefined;
        this.#onerror(error);
        return undefined;
      });
  }
}
