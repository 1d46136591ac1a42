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
  writeSection(readme, "bench", table);
}

/** Puts a text between the comments `<!-- name -->` and `<!-- /name -->` of a page. */
export function writeSection(page: URL, name: string, content: string): void {
  const text = readFileSync(page, "utf8");
  const place = new RegExp(`(?<=<!-- ${name} -->\\n)[^]*?(?=<!-- /${name} -->)`);
  if (!place.test(text)) throw new Obstacle(`${page.pathname} has no place for the table: put <!-- ${name} --> there`);
  writeFileSync(
    page,
    text.replace(place, () => `\n${content}\n\n`),
  );
  format([fileURLToPath(page)]);
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
