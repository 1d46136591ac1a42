import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { root, run, type CommandResult } from "../../scripts/command.ts";
import { blocksOf, pages, placeOf, programsOf } from "./blocks.ts";
import { createProject, project } from "./project.ts";
import { commandsOf } from "./shell.ts";

const blocks = pages.flatMap((page) => blocksOf(page));
const programs = pages.flatMap((page) => programsOf(blocks.filter(({ file }) => file === page)));
const files = createProject(programs);
const runnable = programs.filter(({ notRun, example }) => notRun === undefined && example === undefined);
const examples = programs.filter(({ example }) => example !== undefined);

test("every block of the README and the guides is of a kind that something checks", () => {
  const known = new Set(["ts", "js", "html", "sh", "json", "http", "text"]);
  const unknown = blocks.filter(({ language }) => !known.has(language));
  expect(unknown.map((block) => `${placeOf(block)}: "${block.language}"`)).toEqual([]);
});

test("a block of text is what the block before it prints, or a comment says why it is not compared", () => {
  const compared = new Set(
    programs.filter(({ notRun }) => notRun === undefined).flatMap(({ outputs }) => outputs.map(placeOf)),
  );
  const loose = blocks.filter(({ language, note }) => language === "text" && note?.kind !== "not compared");
  expect(loose.map(placeOf).filter((place) => !compared.has(place))).toEqual([]);
});

describe("the blocks of TypeScript and JavaScript", () => {
  let result: CommandResult;
  beforeAll(async () => {
    result = await run(["tsc", "--project", project], { cwd: project });
  });

  test("compile against the package's types", () => {
    // A file is named after the page and the line where it begins; its lines are the page's.
    expect(result.output).toBe("");
    expect(result.code).toBe(0);
  });

  test.each(runnable.map((program) => [placeOf(program.blocks[0]), program] as const))(
    "run: %s",
    async (_, program) => {
      const { code, output, stdout } = await run(["node", files.get(program) ?? ""], {
        cwd: project,
        timeoutMs: 60_000,
      });
      expect({ code, output }).toEqual({ code: 0, output });
      const { outputs } = program;
      if (outputs.length > 0) expect(stdout.trimEnd()).toBe(outputs.map(({ code }) => code).join("\n"));
    },
  );

  test.each(examples.map((program) => [program.example ?? "", program] as const))(
    "repeat the example that they name: %s",
    (file, { blocks: [{ code }] }) => {
      expect(code).toBe(readFileSync(join(root, file), "utf8").trimEnd());
    },
  );
});

describe("docs/quick-start.md", () => {
  const start = blocks.filter(({ file }) => file === "docs/quick-start.md");
  const commands = start
    .filter(({ language }) => language === "sh")
    .flatMap(({ code }) => commandsOf(code))
    .filter(([program, ...words]) => ["node", "deno", "bun"].includes(program) && words.includes("first.mjs"));

  test("has the command for each runtime", () => {
    expect(commands.map(([program]) => program)).toEqual(["node", "deno", "bun"]);
  });

  test.each(commands.map((command) => [command.join(" "), command] as const))(
    "%s runs its first program",
    async (_, command) => {
      const program = start.find(({ language }) => language === "js")?.code ?? "";
      writeFileSync(join(project, "first.mjs"), `${program}\n`);
      const { code, output } = await run(command, { cwd: project, timeoutMs: 60_000 });
      expect({ code, output }).toEqual({ code: 0, output: "132\n" });
    },
  );
});

test("the blocks of JSON are JSON", () => {
  const broken = blocks.filter(({ language, code }) => {
    if (language !== "json") return false;
    try {
      JSON.parse(code);
      return false;
    } catch {
      return true;
    }
  });
  expect(broken.map(placeOf)).toEqual([]);
});
