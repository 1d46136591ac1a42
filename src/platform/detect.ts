/** Where this code runs. Decided once a call, by names that only that host defines; capabilities are probed elsewhere. */
export type RuntimeName = "node" | "deno" | "bun" | "browser" | "workerd" | "unknown";

interface HostGlobals {
  readonly Deno?: { readonly version?: { readonly deno?: string } };
  readonly Bun?: { readonly version?: string };
  readonly navigator?: { readonly userAgent?: string };
  readonly process?: {
    readonly versions?: { readonly node?: string };
    readonly getBuiltinModule?: (name: string) => unknown;
  };
  readonly document?: unknown;
  readonly WorkerGlobalScope?: unknown;
}

/** Names the host. Deno, Bun and workerd all imitate Node's `process`, so they are asked about first. */
export function detectRuntime(host: object = globalThis): RuntimeName {
  const globals = host as HostGlobals;
  if (globals.Deno?.version?.deno) return "deno";
  if (globals.Bun?.version) return "bun";
  if (globals.navigator?.userAgent === "Cloudflare-Workers") return "workerd";
  if (globals.process?.versions?.node) return "node";
  if (globals.document !== undefined || globals.WorkerGlobalScope !== undefined) return "browser";
  return "unknown";
}

/**
 * A Node built-in module in Node, Deno and Bun, without an import that browsers and bundlers would stumble on.
 *
 * @returns The module, or undefined where there is none.
 */
export function builtinModule<T>(name: string): T | undefined {
  return (globalThis as HostGlobals).process?.getBuiltinModule?.(name) as T | undefined;
}
