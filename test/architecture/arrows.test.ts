import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root, run } from "../../scripts/command.ts";

// `npm run check` looks at the real sources. This proves that its rules would see what they forbid.
const lawful: Readonly<Record<string, string>> = {
  "src/errors.ts": "export class InferenceError extends Error {}",
  "src/contract.ts": "export interface Message { content: string }",
  "src/index.ts": 'export { load } from "./api/load.ts";',
  "src/api/load.ts": 'import { complete } from "../engine/wllama.ts";\nexport const load = complete;',
  "src/engine/wllama.ts":
    'import type { WeightFile } from "../gguf/weight-file.ts";\nexport const complete = (f: WeightFile) => f;',
  "src/gguf/weight-file.ts": "export class WeightFile {}",
  "src/api/d.ts": 'import type { C } from "./c.ts";\nexport type D = C;',
  "src/api/c.ts": "export type C = 1;",
  "src/prompt/segment.ts": 'import { InferenceError } from "../errors.ts";\nexport const segment = InferenceError;',
  "src/cli/main.ts": 'import { Command } from "commander";\nimport { load } from "../index.ts";\nload(new Command());',
};

const unlawful = [
  [
    "a pure floor imports the engine",
    "src/prompt/a.ts",
    'import "../engine/wllama.ts";',
    "src/prompt/ imports only its arrows",
  ],
  [
    "a floor takes a type from above",
    "src/gguf/a.ts",
    'import type { load } from "../api/load.ts";\nexport type A = typeof load;',
    "src/gguf/ imports only its arrows",
  ],
  [
    "a value comes where only a type may",
    "src/engine/a.ts",
    'import { WeightFile } from "../gguf/weight-file.ts";\nexport const a = WeightFile;',
    "src/engine/ imports these by type only",
  ],
  [
    "the command line reaches behind the door",
    "src/cli/a.ts",
    'import "../api/load.ts";',
    "src/cli/ imports only its arrows",
  ],
  ["a host module is imported", "src/api/a.ts", 'import "node:fs";', "no host module by import: use builtinModule()"],
  [
    "a package is imported on a floor that has none",
    "src/api/b.ts",
    'import "commander";',
    "src/api/ imports only its arrows",
  ],
  ["two files form a cycle, half of it types", "src/api/c.ts", 'import "./d.ts";\nexport type C = 1;', "no cycles"],
  [
    "a folder is no floor",
    "src/helpers/a.ts",
    'import "../errors.ts";',
    "every file stands on a floor: name its folder in .dependency-cruiser.mjs",
  ],
  ["an import leads nowhere", "src/api/e.ts", 'import "./gone.ts";', "everything resolves"],
] as const;

let project: string;

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "ruminate-arrows-"));
  symlinkSync(join(root, "tsconfig.json"), join(project, "tsconfig.json"));
  // Not a link to the real one: what is found outside the project has a path that no rule knows.
  const commander = join(project, "node_modules", "commander");
  mkdirSync(commander, { recursive: true });
  writeFileSync(join(commander, "package.json"), '{ "name": "commander", "main": "index.js" }');
  writeFileSync(join(commander, "index.js"), "export class Command {}");
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string };
}

async function cruise(files: Readonly<Record<string, string>>): Promise<readonly Violation[]> {
  rmSync(join(project, "src"), { recursive: true, force: true });
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(project, file)), { recursive: true });
    writeFileSync(join(project, file), text);
  }
  const config = join(root, ".dependency-cruiser.mjs");
  const command = ["depcruise", "src", "--config", config, "--output-type", "json"] as const;
  const { stdout, output } = await run([...command], { cwd: project });
  if (!stdout.startsWith("{")) throw new Error(output);
  // The reporter's JSON; where a part is missing, the test fails.
  return (JSON.parse(stdout) as { summary: { violations: Violation[] } }).summary.violations;
}

test("the arrows let a tree pass that follows them", async () => {
  expect(await cruise(lawful)).toEqual([]);
});

test("the arrows see each thing that they forbid, and nothing else", async () => {
  const files = Object.fromEntries(unlawful.map(([, file, text]) => [file, text]));
  const violations = await cruise({ ...lawful, ...files });
  const missed = unlawful.filter(
    ([, file, , rule]) => !violations.some((violation) => violation.from === file && violation.rule.name === rule),
  );
  expect(missed.map(([what]) => what)).toEqual([]);
  const accused = violations.map((violation) => violation.from).filter((file) => !(file in files));
  expect(accused).toEqual([]);
});
