import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** What dist is made from: the sources, the build itself, and the pinned tools and dependencies. */
const inputs = ["src", "scripts/build", "scripts/build.ts", "tsconfig.json", "package.json", "package-lock.json"];
const outputs = ["dist"];
const stamp = (root: string): string => join(root, ".cache", "build");

/** Whether dist is what the last build wrote, from what is in the tree now. Compared by content, never by time. */
export function isFresh(root: string): boolean {
  try {
    return readFileSync(stamp(root), "utf8") === hash(root);
  } catch {
    return false;
  }
}

/** Remembers that dist was just built from the present tree. */
export function markFresh(root: string): void {
  mkdirSync(dirname(stamp(root)), { recursive: true });
  writeFileSync(stamp(root), hash(root));
}

function hash(root: string): string {
  const digest = createHash("sha256");
  for (const file of [...inputs, ...outputs].flatMap((path) => filesOf(root, path)).sort()) {
    digest
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update("\0");
  }
  return digest.digest("hex");
}

function filesOf(root: string, path: string): string[] {
  try {
    return readdirSync(join(root, path), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOTDIR") return [path];
    throw error;
  }
}
