// Where results go: files in bench/results/, and a section of the README.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { Obstacle } from "./models.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = new URL("../results/", import.meta.url);
const readme = new URL("../../README.md", import.meta.url);
const section = /(?<=<!-- bench -->\n)[^]*?(?=<!-- \/bench -->)/;

/** Writes the files, by their extensions, and gives their paths. */
export function writeResults(name: string, files: Readonly<Record<string, string>>): string[] {
  mkdirSync(folder, { recursive: true });
  const paths = Object.entries(files).map(([extension, text]) => {
    const path = fileURLToPath(new URL(`${name}.${extension}`, folder));
    writeFileSync(path, text);
    return path;
  });
  format(paths.filter((path) => !path.endsWith(".svg")));
  return paths.map((path) => relative(root, path));
}

/** @throws {Obstacle} if the README has no place for the table */
export function checkReadme(): void {
  if (section.test(readFileSync(readme, "utf8"))) return;
  throw new Obstacle(
    "README.md has no place for the table: put <!-- bench --> and <!-- /bench --> on lines of their own",
  );
}

export function writeReadme(table: string): void {
  const text = readFileSync(readme, "utf8");
  writeFileSync(
    readme,
    text.replace(section, () => `\n${table}\n\n`),
  );
  format([fileURLToPath(readme)]);
}

/** As the repository's check wants files. */
function format(paths: readonly string[]): void {
  execFileSync(
    process.execPath,
    [fileURLToPath(new URL("../../node_modules/oxfmt/bin/oxfmt", import.meta.url)), ...paths],
    {
      cwd: root,
    },
  );
}
