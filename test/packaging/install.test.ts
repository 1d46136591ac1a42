import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root, run } from "../../scripts/command.ts";
import { pack } from "./tarball.ts";

// A project of somebody who has only the package: no sources, no dependency of ours, no network.
const project = mkdtempSync(join(tmpdir(), "ruminate-install-"));

beforeAll(async () => {
  const tarball = await pack(project);
  writeFileSync(join(project, "package.json"), '{ "name": "somebody", "private": true, "type": "module" }\n');
  writeFileSync(join(project, "first.mjs"), firstExample());
  const { code, output } = await run(["npm", "install", "--offline", "--no-audit", "--no-fund", tarball.path], {
    cwd: project,
  });
  if (code !== 0) throw new Error(`npm install failed: ${output}`);
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

/** The first code block of the README that loads a model, as its reader would paste it: but on the bundled model. */
function firstExample(): string {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const blocks = [...readme.matchAll(/^```(?:ts|js)\n(.*?)^```$/gms)].map(([, code]) => code ?? "");
  const example = blocks.find((code) => code.includes("loadModel("));
  if (example === undefined) throw new Error("README.md has no ts or js block that calls loadModel()");
  return example.replace(/loadModel\("[^"]*"\)/, "loadModel()").replace('"…"', '"What is 47 + 85?"');
}

test.each([
  ["Node 24", ["node", "first.mjs"]],
  ["Deno", ["deno", "run", "--allow-all", "first.mjs"]],
  ["Bun", ["bun", "first.mjs"]],
] satisfies [string, [string, ...string[]]][])(
  "the README's first example thinks and answers in %s",
  async (_, command) => {
    const { code, output, stdout } = await run(command, { cwd: project, timeoutMs: 110_000 });
    expect({ code, output }).toEqual({ code: 0, output });
    expect(stdout).toMatch(/132\s*$/);
  },
);

const wllamaExample = `import { loadModel } from "ruminate";
try {
  await using model = await loadModel(undefined, { engine: "wllama" });
  console.log(model.info.engine, (await model.chat([{ role: "user", content: "What is 47 + 85?" }]).result()).text);
} catch (error) {
  console.log(error.code, error.message);
}
`;

test("wllama is used where it is installed, and otherwise the error says how to get it", async () => {
  writeFileSync(join(project, "wllama.mjs"), wllamaExample);
  const commands = [
    ["node", "wllama.mjs"],
    ["deno", "run", "--allow-all", "wllama.mjs"],
    ["bun", "wllama.mjs"],
  ] satisfies [string, ...string[]][];
  for (const command of commands) {
    const { stdout } = await run(command, { cwd: project, timeoutMs: 110_000 });
    expect(stdout).toMatch(/^unsupported Cannot .* @wllama\/wllama(-compat)? is not found; install @wllama\/wllama/);
  }
  const peers = ["wllama", "wllama-compat"].map((name) => join(root, "node_modules/@wllama", name));
  const { code, output } = await run(["npm", "install", "--offline", "--no-audit", "--no-fund", ...peers], {
    cwd: project,
  });
  expect({ code, output }).toEqual({ code: 0, output });
  for (const command of commands) {
    const answer = await run(command, { cwd: project, timeoutMs: 110_000 });
    expect(answer.stdout).toMatch(/^wllama 132\s*$/);
  }
});

test("the installed command line answers, and says only JSON with --json", async () => {
  const { code, stdout, output } = await run(["npx", "--no-install", "ruminate", "run", "--json", "What is 47 + 85?"], {
    cwd: project,
    timeoutMs: 110_000,
  });
  expect({ code, output }).toEqual({ code: 0, output });
  const lines = stdout.trim().split("\n");
  expect(() => lines.map((line) => JSON.parse(line) as unknown)).not.toThrow();
});

test("the installed declarations hold for a strict reader, and need no types but the web's", async () => {
  writeFileSync(
    join(project, "reader.ts"),
    `import { InferenceError, loadModel, type Message, type Part } from "ruminate";
import { splitReasoning } from "ruminate/reasoning";
const messages: Message[] = [{ role: "user", content: "Hello" }];
export async function ask(): Promise<string> {
  await using model = await loadModel();
  let text = "";
  for await (const part of model.chat(messages)) text += nameOf(part);
  return text + splitReasoning(text).reasoning;
}
const nameOf = (part: Part): string => (part.type === "finish" ? part.result.finishReason : part.type);
export const isOurs = (error: unknown): boolean => InferenceError.is(error, "memory");
// @ts-expect-error: a model is loaded from a source, never from a number
export const wrong = loadModel(42);
`,
  );
  const shared = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    target: "es2024",
    lib: ["es2024", "esnext.disposable", "dom", "dom.iterable", "dom.asynciterable"],
    types: [],
  };
  for (const modules of [{ module: "nodenext" }, { module: "esnext", moduleResolution: "bundler" }]) {
    const config = { compilerOptions: { ...shared, ...modules }, files: ["reader.ts"] };
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify(config));
    const { code, output } = await run(["tsc", "--project", "."], { cwd: project });
    expect({ code, output }).toEqual({ code: 0, output: "" });
  }
});
