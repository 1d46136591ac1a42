import { InferenceError } from "../errors.ts";
import type { HttpOptions } from "./http.ts";
import { fetchFirst } from "./http.ts";
import { parseShardName } from "./shards.ts";

/** A model on the Hugging Face Hub. */
export interface HubSource {
  /** `owner/name` of the repository. */
  readonly hf: string;
  /** Path of the file, or its name; of a split model, any shard's. */
  readonly file?: string;
  /** Such as `Q4_K_M`, in any case; default: the first of a fixed order that the repository has. */
  readonly quant?: string;
  /** Branch, tag or commit; default: `main`. */
  readonly revision?: string;
  /** Base address of the Hub or a mirror; default: `https://huggingface.co`. */
  readonly hub?: string;
}

/** One file of the Hub. */
export interface HubFile {
  readonly address: string;
  /** SHA-256 in hexadecimal, of files in its large storage. */
  readonly sha256?: string;
}

/** The files of one model in a repository: one, or all its shards in order. */
interface Choice {
  /** Path, with a star for the shard number. */
  readonly label: string;
  readonly paths: readonly string[];
  /** Shards that the names promise. */
  readonly count: number;
}

const defaultHub = "https://huggingface.co";
// Best balance of size and quality first; then by size, smallest loss first, and last what only few hosts can hold.
const preferred =
  "Q4_K_M Q4_K_S Q4_0 Q5_K_M Q8_0 Q5_K_S Q6_K Q4_1 IQ4_NL IQ4_XS Q5_0 Q5_1 Q3_K_M Q3_K_L Q3_K_S Q2_K F16 BF16 F32".split(
    " ",
  );
const maxPages = 50;

const encodePath = (path: string): string => path.split("/").map(encodeURIComponent).join("/");

function checkSource(source: HubSource): void {
  const wellFormed =
    /^[\w.-]+(?:\/[\w.-]+)?$/.test(source.hf) && !source.hf.split("/").some((part) => /^\.+$/.test(part));
  if (!wellFormed) throw new TypeError(`hf is "${source.hf}"; "owner/name" of a repository is wanted`);
  if (source.file !== undefined && source.quant !== undefined)
    throw new TypeError("Both file and quant are given; one of them is wanted");
}

/** The next page's address, from a `Link` header; never another origin, where a token in `fetch` would leak to. */
function nextPage(response: Response, current: string): string | undefined {
  const link = /<([^>]+)>\s*;\s*rel="?next"?/.exec(response.headers.get("link") ?? "")?.[1];
  if (!link) return undefined;
  const next = new URL(link, current);
  return next.origin === new URL(current).origin ? next.href : undefined;
}

async function listFiles(source: HubSource, options: HttpOptions): Promise<Map<string, string | undefined>> {
  const hub = (source.hub ?? defaultHub).replace(/\/+$/, "");
  let address: string | undefined =
    `${hub}/api/models/${source.hf}/tree/${encodeURIComponent(source.revision ?? "main")}?recursive=true`;
  const digests = new Map<string, string | undefined>();
  for (let page = 0; address !== undefined && page < maxPages; page++) {
    const response = await fetchFirst(address, options);
    let entries: unknown;
    try {
      entries = await response.json();
    } catch (cause) {
      options.signal?.throwIfAborted();
      throw new InferenceError("network", `Cannot list ${source.hf}: the answer is not JSON`, {
        cause,
        details: { url: address },
      });
    }
    if (!Array.isArray(entries)) {
      throw new InferenceError("network", `Cannot list ${source.hf}: the answer is not a list of files`, {
        details: { url: address },
      });
    }
    for (const entry of entries) {
      if (typeof entry === "object" && entry !== null && typeof entry.path === "string" && entry.type !== "directory")
        digests.set(entry.path, digestOf(entry));
    }
    address = nextPage(response, address);
  }
  return digests;
}

/** The id in Git LFS of what the list tells of a file, which is its SHA-256. */
function digestOf(entry: { readonly lfs?: unknown }): string | undefined {
  const oid: unknown = typeof entry.lfs === "object" && entry.lfs !== null ? Reflect.get(entry.lfs, "oid") : undefined;
  return typeof oid === "string" && /^[0-9a-f]{64}$/.test(oid) ? oid : undefined;
}

function groupChoices(paths: readonly string[]): Choice[] {
  const groups = new Map<string, Choice>();
  for (const path of paths.filter((candidate) => /\.gguf$/i.test(candidate)).toSorted()) {
    const shard = parseShardName(path);
    const label = shard ? `${shard.prefix}-*-of-${String(shard.count).padStart(5, "0")}.gguf` : path;
    groups.set(label, { label, paths: [...(groups.get(label)?.paths ?? []), path], count: shard?.count ?? 1 });
  }
  return [...groups.values()];
}

const baseName = (path: string): string => path.split("/").at(-1) ?? path;
// Image encoders and importance matrices are GGUF files, but no language models.
const isModel = (choice: Choice): boolean => !/mmproj|imatrix/i.test(baseName(choice.label));

/** Whether a path names this quantization: `Q4_K` is not `Q4_K_M`, `Q4_0` not `Q4_0_4_4`. */
export function hasQuant(path: string, quant: string): boolean {
  const escaped = quant.replace(/[^A-Za-z0-9_]/g, "\\$&");
  return new RegExp(`(?<![A-Za-z0-9_])${escaped}(?![A-Za-z0-9_])`, "i").test(path);
}

function choose(source: HubSource, choices: readonly Choice[]): Choice {
  const refuse = (what: string): InferenceError => {
    const listed = choices
      .slice(0, 20)
      .map((choice) => choice.label)
      .join(", ");
    const more = choices.length > 20 ? ` and ${choices.length - 20} more` : "";
    return new InferenceError(
      "format",
      `Cannot choose a model from ${source.hf}: ${what}; it has ${listed || "no GGUF file"}${more}`,
      {
        details: { hf: source.hf, available: choices.map((choice) => choice.label) },
      },
    );
  };
  const only = (found: readonly Choice[], asked: string): Choice | undefined => {
    if (found.length > 1)
      throw refuse(
        `${asked} fits ${found.length} files (${found.map((choice) => choice.label).join(", ")}), name one with file`,
      );
    return found[0];
  };
  const { file, quant } = source;
  if (file !== undefined) {
    const exact = choices.find((choice) => choice.paths.includes(file) || choice.label === file);
    const named =
      exact ??
      only(
        choices.filter((choice) => choice.paths.some((path) => baseName(path) === file)),
        `the file "${file}"`,
      );
    if (!named) throw refuse(`there is no file "${file}"`);
    return named;
  }
  if (quant !== undefined) {
    const found = only(
      choices.filter((choice) => hasQuant(choice.label, quant)),
      `the quantization "${quant}"`,
    );
    if (!found) throw refuse(`there is no quantization "${quant}"`);
    return found;
  }
  if (choices.length === 1 && choices[0]) return choices[0];
  for (const name of preferred) {
    const found = only(
      choices.filter((choice) => hasQuant(choice.label, name)),
      `the quantization ${name}`,
    );
    if (found) return found;
  }
  throw refuse(
    choices.length === 0
      ? "no language model is there"
      : "none has a quantization known by name; name one with file or quant",
  );
}

/**
 * Finds the addresses of a model's files on the Hub, shards in order. Image encoders are never chosen.
 *
 * @throws {InferenceError} `format` if nothing or more than one thing fits (the message lists what there is), `network`
 * @throws {TypeError} if `hf` is not a repository's name
 */
export async function resolveHub(source: HubSource, options: HttpOptions): Promise<HubFile[]> {
  checkSource(source);
  const digests = await listFiles(source, options);
  const listed = groupChoices([...digests.keys()]);
  const choice = choose(source, source.file === undefined ? listed.filter(isModel) : listed);
  if (choice.paths.length !== choice.count) {
    throw new InferenceError(
      "format",
      `Cannot load ${choice.label} from ${source.hf}: it has ${choice.count} shards, the repository only ${choice.paths.length}`,
      {
        details: { hf: source.hf, paths: choice.paths },
      },
    );
  }
  const hub = (source.hub ?? defaultHub).replace(/\/+$/, "");
  const revision = encodeURIComponent(source.revision ?? "main");
  return choice.paths.map((path) => {
    const sha256 = digests.get(path);
    return {
      address: `${hub}/${source.hf}/resolve/${revision}/${encodePath(path)}`,
      ...(sha256 === undefined ? {} : { sha256 }),
    };
  });
}
