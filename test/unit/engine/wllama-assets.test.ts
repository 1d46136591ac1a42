import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { wllamaAssets, wllamaVersion } from "../../../src/engine/wllama-assets.ts";

interface Manifest {
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

test("finds the installed build that this host can run", () => {
  const { memory, wasm } = wllamaAssets();
  expect(memory).toBe("wasm64");
  expect(existsSync(fileURLToPath(wasm))).toBe(true);
});

test("takes another place for the file", () => {
  expect(wllamaAssets("https://example.org/wllama.wasm").wasm).toBe("https://example.org/wllama.wasm");
});

test("wants the version that is tested", () => {
  const path = new URL("../../../package.json", import.meta.url);
  // Our own file.
  const { peerDependencies, devDependencies } = JSON.parse(readFileSync(path, "utf8")) as Manifest;
  for (const name of ["@wllama/wllama", "@wllama/wllama-compat"]) {
    expect([peerDependencies[name], devDependencies[name]]).toEqual([wllamaVersion, wllamaVersion]);
  }
});
