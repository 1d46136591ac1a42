// The README's examples are files in examples/ and what they print; `npm run readme` puts both there as they are today.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, run } from "./command.ts";

const path = join(root, "README.md");
const section = /<!-- example: (\S+) -->\n[^]*?<!-- \/example -->/g;

/** Files that the README shows, relative to the repository. */
export function shownExamples(): string[] {
  return [...readFileSync(path, "utf8").matchAll(section)].map(([, file]) => file ?? "");
}

/** Whether the README shows this file as it is, and this as what it prints. */
export function isShownAs(file: string, stdout: string): boolean {
  return readFileSync(path, "utf8").includes(sectionOf(file, stdout));
}

function sectionOf(file: string, stdout: string): string {
  const code = readFileSync(join(root, file), "utf8").trimEnd();
  return `<!-- example: ${file} -->\n\n\`\`\`ts\n${code}\n\`\`\`\n\n\`\`\`text\n${stdout.trimEnd()}\n\`\`\`\n\n<!-- /example -->`;
}

if (import.meta.main) {
  if (!process.argv.includes("--write")) throw new Error("Nothing to do: --write is the one thing that this does");
  let readme = readFileSync(path, "utf8");
  for (const [old, file = ""] of readme.matchAll(section)) {
    const { code, stdout, output } = await run(["node", file]);
    if (code !== 0) throw new Error(`${file} ended with ${code}: ${output}`);
    readme = readme.replace(old, () => sectionOf(file, stdout));
  }
  writeFileSync(path, readme);
}
