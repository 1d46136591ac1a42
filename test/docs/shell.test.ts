import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root, run } from "../../scripts/command.ts";
import { blocksOf, pages, placeOf } from "./blocks.ts";
import { commandsOf, type ShellCommand } from "./shell.ts";

const { scripts, devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Readonly<
  Record<"scripts" | "devDependencies", Readonly<Record<string, string>>>
>;
const commands = pages.flatMap((page) =>
  blocksOf(page)
    .filter(({ language }) => language === "sh")
    .flatMap((block) => commandsOf(block.code).map((command) => ({ place: placeOf(block), command }))),
);
/** `npx ruminate` is `ruminate`. */
const asRuminate = ([program, first, ...rest]: ShellCommand): readonly string[] | undefined => {
  if (program === "ruminate") return first === undefined ? [] : [first, ...rest];
  return program === "npx" && first === "ruminate" ? rest : undefined;
};

test("commandsOf() leaves comments and variables out, and takes chains and pipes apart", () => {
  expect(
    commandsOf('npm ci && KEY=1 ruminate run "a | b" --json # c; d\ngit diff | ruminate run \\\n  -q "it\'s"'),
  ).toEqual([
    ["npm", "ci"],
    ["ruminate", "run", '"a | b"', "--json"],
    ["git", "diff"],
    ["ruminate", "run", "-q", '"it\'s"'],
  ]);
});

test("guides use programs that are there: scripts of package.json, tools of this repository, files", () => {
  const wrong = commands.flatMap(({ place, command }) => {
    const reason = whyWrong(command);
    return reason === undefined ? [] : [`${place}: ${command.join(" ")}: ${reason}`];
  });
  expect(wrong).toEqual([]);
});

function whyWrong([program, first = "", second = ""]: ShellCommand): string | undefined {
  if (program === "ruminate" || program === "git" || program === "curl" || program === "cp") return undefined;
  if (program === "npm") {
    if (first === "run") return second in scripts ? undefined : "no such script";
    return ["ci", "install", "start", "test"].includes(first) ? undefined : "not a command that guides use";
  }
  if (program === "npx") return first === "ruminate" || first in devDependencies ? undefined : "no such tool";
  if (program !== "node" && program !== "deno" && program !== "bun") return "not a program that guides use";
  const file = [first, second].find((word) => word.includes("/") && !word.includes(":"));
  return file === undefined || existsSync(join(root, file)) ? undefined : `${file} is not there`;
}

test("guides use commands and options of ruminate that its help lists", async () => {
  const help = new Map<string, string>();
  const wrong: string[] = [];
  let seen = 0;
  for (const { place, command } of commands) {
    const [name, ...words] = asRuminate(command) ?? [];
    if (name === undefined) continue;
    if (!help.has(name)) {
      const { code, stdout } = await run(["node", "src/cli/main.ts", name, "--help"]);
      // For a command that there is not it prints the help of all.
      help.set(name, code === 0 && stdout.startsWith(`Usage: ruminate ${name} `) ? stdout : "");
    }
    const text = help.get(name) ?? "";
    seen += 1;
    if (text === "") wrong.push(`${place}: there is no ruminate ${name}`);
    for (const option of words.filter((word) => /^--?[a-z]/.test(word))) {
      if (!new RegExp(`(^|[ ,])${option}\\b`, "m").test(text))
        wrong.push(`${place}: ruminate ${name} has no ${option}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(seen).toBeGreaterThan(0);
});
