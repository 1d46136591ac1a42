import type { Model } from "../index.ts";
import { InferenceError } from "../index.ts";
import { badField, Refusal } from "./errors.ts";
import { kindOf, optionalNumber, optionalText } from "./fields.ts";
import type { Fields } from "./fields.ts";

/** OpenAI's own bound. */
const mostInputs = 2048;

/** What `POST /v1/embeddings` asks for. */
export interface EmbeddingsBody {
  readonly input: readonly string[];
  readonly isBase64: boolean;
  /** How long the vectors are to be; undefined: as long as the model makes them. */
  readonly dimensions: number | undefined;
}

/** @throws {Refusal} 400, naming the field */
export function readEmbeddings(body: Fields): EmbeddingsBody {
  const encoding = optionalText(body["encoding_format"], "encoding_format") ?? "float";
  if (encoding !== "float" && encoding !== "base64") {
    throw badField("encoding_format", `encoding_format must be "float" or "base64", not ${kindOf(encoding)}`);
  }
  const dimensions = optionalNumber(body["dimensions"], "dimensions", { min: 1, max: 2 ** 31 - 1, whole: true });
  return { input: readInput(body["input"]), isBase64: encoding === "base64", dimensions };
}

function readInput(input: unknown): readonly string[] {
  const given: readonly unknown[] = Array.isArray(input) ? input : [input];
  const texts = given.filter((text) => typeof text === "string").filter((text) => text !== "");
  if (texts.length === given.length && texts.length > 0 && texts.length <= mostInputs) return texts;
  if (given.length > mostInputs)
    throw badField("input", `input has ${given.length} texts; at most ${mostInputs} are taken`);
  throw badField(
    "input",
    "input must be a string or an array of them, none empty; token ids are not taken, since those of another model's tokenizer would pass unseen",
  );
}

/** @throws {Refusal} 501 if the model makes none, 400 if their length is not the one wanted */
export async function embed(
  model: Model,
  { input, isBase64, dimensions }: EmbeddingsBody,
  { name, signal }: { name: string; signal: AbortSignal },
): Promise<object> {
  const vectors = await model.embed(input, { signal }).catch((error: unknown) => {
    if (!InferenceError.is(error, "unsupported")) throw error;
    throw new Refusal(501, error.message, { code: "unsupported" });
  });
  const length = vectors[0]?.length;
  if (dimensions !== undefined && dimensions !== length) {
    throw badField("dimensions", `dimensions is ${dimensions}, and this model's vectors have ${length}; leave it out`);
  }
  let tokens = 0;
  for (const text of input) tokens += await model.count(text);
  return {
    object: "list",
    model: name,
    data: vectors.map((vector, index) => ({
      object: "embedding",
      index,
      embedding: isBase64 ? asBase64(vector) : Array.from(vector),
    })),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

/** 32-bit floats, the least byte first, whatever the order of this machine. */
function asBase64(vector: Float32Array): string {
  const view = new DataView(new ArrayBuffer(vector.length * 4));
  for (const [index, value] of vector.entries()) view.setFloat32(index * 4, value, true);
  let binary = "";
  for (const byte of new Uint8Array(view.buffer)) binary += String.fromCharCode(byte);
  return btoa(binary);
}
