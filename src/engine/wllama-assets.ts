import { InferenceError } from "../errors.ts";
import { builtinModule } from "../platform/detect.ts";
import { supportsMemory64 } from "../platform/features.ts";

/** What the package is tested with, and what its own copy of wllama's JavaScript belongs to. */
export const wllamaVersion = "3.8.1";

/** The build of wllama that this host can run, and where its files are; `file:` or `http(s):` URLs. */
export interface WllamaAssets {
  readonly memory: "wasm32" | "wasm64";
  readonly wasm: string;
  /** The JavaScript that belongs to the 32-bit build; the other's is in the library. */
  readonly script?: string;
}

interface ModuleBuiltin {
  createRequire(from: string): ((name: string) => unknown) & { resolve(name: string): string };
}
interface UrlBuiltin {
  pathToFileURL(path: string): URL;
}

/**
 * Finds wllama's files: its packages are optional peers of this one.
 *
 * @param wasmUrl The WebAssembly file of the build that this host needs, in place of the installed one.
 * @throws {InferenceError} `unsupported` if it is not installed, or in another version
 */
export function wllamaAssets(wasmUrl?: string | URL): WllamaAssets {
  const own = wasmUrl === undefined ? undefined : absolute(wasmUrl);
  // The 64-bit build needs a host with memory64, tables included; the other is slower.
  if (supportsMemory64()) {
    return { memory: "wasm64", wasm: own ?? installed("@wllama/wllama", "esm/wasm/wllama.wasm") };
  }
  return {
    memory: "wasm32",
    wasm: own ?? installed("@wllama/wllama-compat", "wasm/wllama.wasm"),
    script: new URL("../../node_modules/@wllama/wllama-compat/wasm/wllama.js", import.meta.url).href,
  };
}

function installed(name: string, file: string): string {
  let version: string;
  let url: string;
  try {
    const node = builtinModule<ModuleBuiltin>("node:module");
    const paths = builtinModule<UrlBuiltin>("node:url");
    // A page finds it by its import map, and has no way to ask for its version.
    if (!node || !paths) return import.meta.resolve(`${name}/${file}`);
    const require = node.createRequire(import.meta.url);
    ({ version } = require(`${name}/package.json`) as { version: string });
    url = paths.pathToFileURL(require.resolve(`${name}/${file}`)).href;
  } catch (cause) {
    throw new InferenceError("unsupported", `Cannot use the engine wllama: ${name} is not found; ${howTo(name)}`, {
      cause,
    });
  }
  if (version === wllamaVersion) return url;
  throw new InferenceError(
    "unsupported",
    `Cannot use the engine wllama: ${name} has version ${version}; ${howTo(name)}`,
  );
}

function howTo(name: string): string {
  return `install ${name}@${wllamaVersion}, name it in the page's import map, or give its file's place as wasm.url`;
}

function absolute(url: string | URL): string {
  const base = typeof location === "undefined" ? undefined : location.href;
  return new URL(url, base).href;
}
