import type { CaseResult, Outcome } from "./contract.ts";

/** What one column came to. */
export interface ColumnResult {
  readonly name: string;
  readonly results: readonly CaseResult[];
}

const marks: Readonly<Record<Outcome, string>> = { passed: "✓", failed: "✗", gap: "–" };
const [opening, closing] = ["<!-- conformance -->", "<!-- /conformance -->"];

/** The table as Markdown: a row a case, a column a runtime, a note a gap. An empty cell: not on that column's list. */
export function markdownTable(columns: readonly ColumnResult[]): string[] {
  const names = [...new Set(columns.flatMap(({ results }) => results.map(({ name }) => name)))];
  const reasons: string[] = [];
  const cell = (column: ColumnResult, name: string): string => {
    const result = column.results.find((candidate) => candidate.name === name);
    if (!result) return "";
    if (result.outcome !== "gap" || result.message === undefined) return marks[result.outcome];
    if (!reasons.includes(result.message)) reasons.push(result.message);
    return `${marks.gap} ${reasons.indexOf(result.message) + 1}`;
  };
  const rows = names.map((name) => [name, ...columns.map((column) => cell(column, name))]);
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`;
  return [
    line(["case", ...columns.map(({ name }) => name)]),
    `|---|${columns.map(() => ":-:|").join("")}`,
    ...rows.map(line),
    "",
    ...reasons.map((reason, index) => `${index + 1}. ${reason}.`),
  ];
}

/** A line a column: how many cases passed and failed there, and what it can't do. */
export function summaryTable(columns: readonly ColumnResult[]): string[] {
  const rows = columns.map(({ name, results }) => {
    const count = (outcome: Outcome): number => results.filter((result) => result.outcome === outcome).length;
    const gaps = new Set(results.flatMap(({ outcome, message }) => (outcome === "gap" && message ? [message] : [])));
    return `| ${name} | ${count("passed")} | ${count("failed")} | ${[...gaps].join("; ")} |`;
  });
  return ["| runtime × threads | passed | failed | what it can't do |", "|---|--:|--:|---|", ...rows];
}

/**
 * Puts the table between its markers.
 *
 * @throws {Error} if the text has no such markers
 */
export function replaceTable(markdown: string, table: readonly string[]): string {
  const from = markdown.indexOf(opening);
  const to = markdown.indexOf(closing);
  if (from < 0 || to < from) throw new Error(`Cannot write the table: there is no ${opening} … ${closing}`);
  return `${markdown.slice(0, from + opening.length)}\n\n${table.join("\n").trim()}\n\n${markdown.slice(to)}`;
}
