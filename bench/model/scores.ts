/** Right answers out of how many. */
interface Cell {
  readonly right: number;
  readonly of: number;
}

/** One table of scores: tasks down, the ways they were tried across, both in the order they came. */
export class Scores {
  readonly #rows = new Map<string, Map<string, Cell>>();

  note({ task, way, right }: { task: string; way: string; right: boolean }): void {
    const row = this.#rows.get(task) ?? new Map<string, Cell>();
    const cell = row.get(way) ?? { right: 0, of: 0 };
    row.set(way, { right: cell.right + Number(right), of: cell.of + 1 });
    this.#rows.set(task, row);
  }

  /** A Markdown table, padded as the formatter pads it. */
  table(label: string): string {
    const ways = [...new Set([...this.#rows.values()].flatMap((row) => [...row.keys()]))];
    const rows = [...this.#rows].map(([task, row]) => [task, ...ways.map((way) => percent(row.get(way)))]);
    const lines = [[label, ...ways], ...rows];
    const widths = [label, ...ways].map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
    const join = (cells: readonly string[]): string =>
      `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
    const [head = [], ...body] = lines;
    return [join(head), join(widths.map((width) => "-".repeat(width))), ...body.map(join)].join("\n");
  }
}

function percent(cell: Cell | undefined): string {
  return cell ? `${Number(((100 * cell.right) / cell.of).toFixed(1))} % (${cell.right}/${cell.of})` : "";
}
