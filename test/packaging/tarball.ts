import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../scripts/command.ts";

export interface Tarball {
  readonly path: string;
  /** Bytes, packed and unpacked. */
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

/** The package as npm would publish it, from the dist that is there. */
export async function pack(folder: string): Promise<Tarball> {
  mkdirSync(folder, { recursive: true });
  const { code, stdout, output } = await run([
    "npm",
    "pack",
    "--ignore-scripts",
    "--json",
    "--pack-destination",
    folder,
  ]);
  if (code !== 0) throw new Error(`npm pack failed: ${output}`);
  // npm's report of one package; where a part is missing, the tests fail.
  const reports = JSON.parse(stdout) as readonly (Tarball & { filename: string })[];
  const [report] = reports;
  if (report === undefined) throw new Error(`npm pack reported no package: ${output}`);
  return { ...report, path: join(folder, report.filename) };
}
