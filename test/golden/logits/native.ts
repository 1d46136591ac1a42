// Native llama.cpp, run in processes of their own: as fast as this machine allows, and with AVX2 alone.
import { fork } from "node:child_process";
import { once } from "node:events";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { NativeAnswer, NativeRequest } from "./native-process.ts";

const program = fileURLToPath(new URL("native-process.ts", import.meta.url));
/** Where npm puts what node-llama-cpp depends on: its builds export no path of their own. */
const packages = fileURLToPath(new URL("../../../node_modules", import.meta.url));
const builds = join(packages, "@node-llama-cpp", "linux-x64");

/** Runs cases with the best build for this machine; with a folder, the best of those in it. */
export async function runNative(request: NativeRequest, folder?: string): Promise<NativeAnswer> {
  const child = fork(program, folder === undefined ? [] : [folder], {
    serialization: "advanced",
    execArgv: [],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const ended = once(child, "exit");
  let answer: NativeAnswer | undefined;
  child.once("message", (message) => (answer = message as NativeAnswer));
  child.send(request);
  const [code] = await ended;
  if (!answer || code !== 0) throw new Error(`native llama.cpp ended with ${String(code)} and no answer`);
  return answer;
}

/**
 * Copies the package of native builds, but only one of those for this processor, which has AVX2 and nothing wider:
 * llama.cpp loads the best that it finds, and has no switch against it.
 *
 * @returns The folder.
 */
export async function avx2Builds(parent: string): Promise<string> {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new Error("The comparison with AVX2 wants the native builds for Linux on x64");
  }
  const folder = join(parent, "avx2");
  const { version } = JSON.parse(await readFile(join(builds, "package.json"), "utf8")) as { version: string };
  await cp(join(builds, "bins"), join(folder, "bins"), {
    recursive: true,
    filter: (path) => !path.includes("libggml-cpu-") || path.endsWith("-haswell.so"),
  });
  const answer = JSON.stringify({ binsDir: join(folder, "bins"), packageVersion: version });
  await writeFile(join(folder, "index.js"), `export const getBinsDir = () => (${answer});\n`);
  await writeFile(join(folder, "package.json"), `{ "type": "module" }\n`);
  return folder;
}
