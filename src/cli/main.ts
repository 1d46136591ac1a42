#!/usr/bin/env node
import * as sdk from "../index.ts";
import type { Process } from "./process-host.ts";
import { createProcessHost } from "./process-host.ts";
import { runProgram } from "./program.ts";

// Node, Deno and Bun all have it; process-host.ts says what is used of it.
const { process } = globalThis as typeof globalThis & { process: Process };
const host = createProcessHost(process, readVersion());
const code = await runProgram(sdk, host);
// Not left to run dry: a pipe on stdin that nobody closes would keep the process alive. All output was awaited.
process.exit(code);

/** From the package's own package.json: one folder up from dist, two from the sources. */
function readVersion(): string {
  const { readFileSync } = process.getBuiltinModule("node:fs");
  for (const path of ["../package.json", "../../package.json"]) {
    try {
      // package.json is ours: both members are strings where they are present.
      const { name, version } = JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8")) as Record<
        string,
        string
      >;
      if (name === "ruminate" && version) return version;
    } catch {
      // Not there: the other one is.
    }
  }
  return "unknown";
}
