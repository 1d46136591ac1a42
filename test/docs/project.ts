// A project of somebody who follows the guides: the package installed, the bundled model under the names that they use.
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../scripts/command.ts";
import { placeOf, sourceOf, type Program } from "./blocks.ts";

/** Inside the checkout, so that other packages are found, too. */
export const project: string = join(root, ".cache", "docs");

/** Names that guides call a model by. */
const models = ["model.gguf", "GLM-Z1-9B-0414-Q4_K_M.gguf"];

/** Makes the folder anew, with each program as a file of its own. */
export function createProject(programs: readonly Program[]): ReadonlyMap<Program, string> {
  rmSync(project, { recursive: true, force: true });
  mkdirSync(join(project, "node_modules"), { recursive: true });
  symlinkSync(root, join(project, "node_modules", "ruminate"));
  for (const name of models) symlinkSync(join(root, "models/ruminate-nano-q8_0.gguf"), join(project, name));
  writeFileSync(join(project, "package.json"), '{ "name": "reader", "private": true, "type": "module" }\n');
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify(tsconfig));
  const files = new Map<Program, string>();
  for (const program of programs) {
    const name = `${placeOf(program.blocks[0]).replaceAll(/[^\w-]+/g, "-")}.${program.language}`;
    writeFileSync(join(project, name), sourceOf(program));
    files.set(program, name);
  }
  return files;
}

const tsconfig = {
  extends: "../../tsconfig.test.json",
  compilerOptions: {
    // What a guide declares it need not use.
    noUnusedLocals: false,
    noUnusedParameters: false,
    allowJs: true,
    checkJs: true,
    paths: {
      ruminate: ["../../src/index.ts"],
      "ruminate/*": ["../../src/*.ts", "../../src/*/index.ts"],
      // Its manifest points at its sources, which are compiled by other rules.
      "@wllama/wllama": ["../../node_modules/@wllama/wllama/esm/index.d.ts"],
    },
  },
  include: ["*.ts", "*.js"],
};
