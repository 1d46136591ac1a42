// Every public symbol has a sentence, and every type that one mentions is public too. `deno doc --lint` asks the same of
// each property, whose name and type mostly say it all; so its complaints about those are left out.
import { run } from "./command.ts";

const entries = ["src/index.ts", "src/reasoning/index.ts"];

interface DocumentedSymbol {
  readonly name: string;
  readonly declarations: readonly {
    /** "reference": exported again from where it is declared, which is looked at there. */
    readonly kind?: string;
    readonly location: { readonly filename: string; readonly line: number };
    readonly jsDoc?: { readonly doc?: string };
  }[];
}

const [json, lint] = [
  await run(["deno", "doc", "--json", ...entries]),
  await run(["deno", "doc", "--lint", ...entries]),
];
if (json.code !== 0) throw new Error(`deno doc failed: ${json.output}`);
// Deno's report; where a part is missing, the check fails.
const { nodes } = JSON.parse(json.stdout) as { nodes: Record<string, { symbols: DocumentedSymbol[] }> };
const symbols = Object.values(nodes).flatMap((node) => node.symbols);
if (symbols.length === 0) throw new Error("deno doc reported no symbol");

const silent = symbols
  .filter(({ declarations }) => declarations.every(({ kind, jsDoc }) => kind !== "reference" && !jsDoc?.doc?.trim()))
  .map(
    ({ name, declarations: [first] }) => `${first?.location.filename}:${first?.location.line} ${name} has no sentence`,
  );
const hidden = lint.output.split("\n").filter((line) => line.startsWith("error[private-type-ref]"));
const problems = [...new Set([...silent, ...hidden])];
console.log(problems.length > 0 ? problems.join("\n") : `${symbols.length} public symbols are documented`);
if (problems.length > 0) process.exitCode = 1;
