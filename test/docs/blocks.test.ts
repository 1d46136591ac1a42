import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../../scripts/command.ts";
import { blocksOf, pages, programsOf, sourceOf } from "./blocks.ts";

const page = `# A page
\`\`\`ts
import { one } from "one";
\`\`\`

\`\`\`ts
console.log(one);
\`\`\`

\`\`\`text
1
\`\`\`

## Later

<!-- not run: why -->

\`\`\`js
import "two";
\`\`\`
`;

test("blocksOf() tells where a block is, under which heading, and what a comment before it says", () => {
  expect(blocksOf("a.md", page)).toMatchObject([
    { line: 3, language: "ts", heading: "A page", note: undefined },
    { line: 7, language: "ts", code: "console.log(one);" },
    { line: 11, language: "text" },
    { line: 19, language: "js", heading: "Later", note: { kind: "not run", text: "why" } },
  ]);
  expect(() => blocksOf("a.md", "```ts\nlet")).toThrow("a.md:1: this block has no end");
});

test("programsOf() joins a block without imports to the one before, and keeps each line where it is in its page", () => {
  const [first, second, ...others] = programsOf(blocksOf("a.md", page));
  expect(others).toEqual([]);
  expect(first).toMatchObject({ language: "ts", notRun: undefined, outputs: [{ code: "1" }] });
  expect(second).toMatchObject({ language: "js", notRun: "why", outputs: [] });
  expect(first && sourceOf(first)).toBe('\n\nimport { one } from "one";\n\n\n\nconsole.log(one);\n');
});

/** As code hosts make anchors of headings. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");

test("links of the README and the guides lead to files and headings that are there", () => {
  let seen = 0;
  const dead: string[] = [];
  for (const from of [...pages, "CONTRIBUTING.md"]) {
    for (const [, target = ""] of readFileSync(join(root, from), "utf8").matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      seen += 1;
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? from : join(dirname(from), path);
      const there = existsSync(join(root, file));
      const headings =
        there && anchor !== undefined ? readFileSync(join(root, file), "utf8").matchAll(/^#+ (.+)$/gm) : [];
      const anchors = [...headings].map(([, heading = ""]) => anchorOf(heading));
      if (!there || (anchor !== undefined && !anchors.includes(anchor))) dead.push(`${from}: ${target}`);
    }
  }
  expect(dead).toEqual([]);
  expect(seen).toBeGreaterThan(20);
});
