import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { run } from "../command.ts";
import { sourceBundle, wasmFolder } from "./modules.ts";

/**
 * Puts llama.cpp's source, with our patches, into `llama.cpp` of a folder.
 *
 * @returns The patches' names.
 * @throws {Error} with git's output, if a patch does not apply
 */
export async function unpackSource(work: string): Promise<string[]> {
  const source = join(work, "llama.cpp");
  const git = async (...args: string[]): Promise<void> => {
    const { code, output } = await run(["git", ...args], { cwd: work });
    if (code !== 0) throw new Error(`git ${args.join(" ")} failed: ${output}`);
  };
  await git("clone", "--quiet", sourceBundle, source);
  const folder = join(wasmFolder, "patches");
  const patches = readdirSync(folder)
    .filter((name) => name.endsWith(".patch"))
    .sort();
  for (const name of patches) await git("-C", source, "apply", "--unidiff-zero", join(folder, name));
  rmSync(join(source, ".git"), { recursive: true, force: true });
  return patches;
}
