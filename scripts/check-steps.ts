import { join } from "node:path";
import { root } from "./command.ts";

export interface CheckStep {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** Steps that must have passed before this one starts. */
  readonly after?: readonly string[];
  /** What it looks at, in a few words. */
  readonly what: string;
}

/** Where `npm pack` leaves the package for the steps that look into it. */
export const packDirectory: string = join(root, ".cache", "pack");

const tsc = (project: string): readonly [string, ...string[]] => [
  "tsc",
  "--project",
  project,
  "--incremental",
  "--tsBuildInfoFile",
  join(root, ".cache", `${project}.tsbuildinfo`),
];

/** The long ones first, since two run at a time. */
export function checkSteps(tarball: string): readonly CheckStep[] {
  return [
    { name: "build", what: "dist, from the sources", command: ["node", "scripts/build.ts", "--if-stale"] },
    { name: "types", what: "src, as browsers see it", command: tsc("tsconfig.json") },
    { name: "types-pure", what: "the pure folders, without any host", command: tsc("tsconfig.pure.json") },
    { name: "types-test", what: "tests, scripts, benchmarks and examples", command: tsc("tsconfig.test.json") },
    {
      name: "lint",
      what: "oxlint with types",
      command: ["oxlint", "--type-aware", "--deny-warnings"],
    },
    { name: "format", what: "oxfmt", command: ["oxfmt", "--check", "."] },
    { name: "arrows", what: "who may import whom", command: ["depcruise", "src"] },
    { name: "unused", what: "files, exports and dependencies that nothing uses", command: ["knip", "--no-progress"] },
    {
      name: "deno-check",
      what: "the sources, as Deno sees them",
      command: ["deno", "check", "src/index.ts", "src/reasoning/index.ts", "src/openai.ts", "src/ai-sdk.ts"],
    },
    {
      name: "docs",
      what: "every public symbol and member has a sentence, and none hides its types",
      command: ["node", "scripts/check-docs.ts"],
    },
    { name: "docs-api", what: "the API reference: nothing undocumented, no dead link", command: ["typedoc"] },
    {
      name: "deno-publish",
      what: "what a source registry would take",
      command: ["deno", "publish", "--dry-run", "--allow-dirty", "--quiet"],
    },
    {
      name: "pack",
      what: "the package, as npm would publish it",
      command: ["npm", "pack", "--ignore-scripts", "--silent", "--pack-destination", packDirectory],
      after: ["build"],
    },
    { name: "publint", what: "the package's shape", command: ["publint", tarball, "--strict"], after: ["pack"] },
    {
      name: "attw",
      what: "types resolve wherever ESM does",
      command: ["attw", tarball, "--profile", "esm-only", "--format", "ascii"],
      after: ["pack"],
    },
    { name: "size", what: "budgets, after brotli", command: ["size-limit"], after: ["build"] },
  ];
}
