import { InferenceError } from "../errors.ts";
import { builtinModule, detectRuntime } from "./detect.ts";

interface Paths {
  join(...parts: string[]): string;
  isAbsolute(path: string): boolean;
}
interface CacheHost {
  readonly process?: { readonly platform?: string; readonly env?: Readonly<Record<string, string | undefined>> };
}

/** What the folder depends on, so that each system's rule can be tried on any. */
export interface CacheSurroundings {
  readonly platform: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly path: Paths;
}

/**
 * Where downloaded models are kept by default: what `RUMINATE_MODELS` names, else `ruminate/models` in the user's cache
 * folder as the system's own rules have it.
 */
export function modelFolder({ platform, environment, home, path }: CacheSurroundings): string {
  const own = environment["RUMINATE_MODELS"];
  if (own) return own;
  const under = (base: string): string => path.join(base, "ruminate", "models");
  if (platform === "win32") return under(environment["LOCALAPPDATA"] || path.join(home, "AppData", "Local"));
  if (platform === "darwin") return under(path.join(home, "Library", "Caches"));
  // The XDG rules have relative paths ignored.
  const cache = environment["XDG_CACHE_HOME"];
  return under(cache && path.isAbsolute(cache) ? cache : path.join(home, ".cache"));
}

/**
 * The folder of this user on this host.
 *
 * @throws {InferenceError} `unsupported` if the host has no such folder, or Deno may not look for it
 */
export function hostModelFolder(): string {
  const path = builtinModule<Paths>("node:path");
  const os = builtinModule<{ homedir(): string }>("node:os");
  const { process } = globalThis as CacheHost;
  if (!["node", "deno", "bun"].includes(detectRuntime()) || !path || !os) {
    throw new InferenceError("unsupported", "Cannot keep models on disk: this host has no file system");
  }
  try {
    return modelFolder({
      platform: process?.platform ?? "linux",
      environment: process?.env ?? {},
      home: os.homedir(),
      path,
    });
  } catch (cause) {
    throw new InferenceError(
      "unsupported",
      "Cannot find the user's cache folder: permission denied; run deno with --allow-env and --allow-sys=homedir, or name a folder",
      { cause },
    );
  }
}
