// From nothing to a token, in whatever host this runs in: only web standards here.
import type * as sdk from "../../src/index.ts";

/** Milliseconds. */
export interface ColdReport {
  /** To load the model, for the first time and once more, when its module is compiled already. */
  readonly load: number;
  readonly loadAgain: number;
  /** From the loaded model to its first token. */
  readonly token: number;
}

/** @param onFirst Called at the first token. */
export async function coldStart(
  loadModel: typeof sdk.loadModel,
  source: sdk.ModelSource | undefined,
  onFirst: () => void,
): Promise<ColdReport> {
  const startedAt = performance.now();
  await using model = await loadModel(source, { threads: 1 });
  const loadedAt = performance.now();
  let token = 0;
  for await (const part of model.chat([{ role: "user", content: "What is 47 + 85?" }])) {
    if (part.type !== "reasoning" && part.type !== "text") continue;
    token = performance.now() - loadedAt;
    onFirst();
    break;
  }
  const againAt = performance.now();
  await using again = await loadModel(source, { threads: 1 });
  if (again.info.engine !== model.info.engine) throw new Error("the second engine is another one");
  return { load: loadedAt - startedAt, loadAgain: performance.now() - againAt, token };
}
