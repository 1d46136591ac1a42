// The numbers as bars: one block a model and number of threads, prefill on the left and decoding on the right.
import { threadsText } from "./tables.ts";
import type { Results } from "./tables.ts";
import type { Group, Row } from "./summary.ts";

const width = 920;
const labelWidth = 190;
const panelWidth = 340;
const rowHeight = 20;
const titleHeight = 44;

export function chart({ groups, size, machine }: Results): string {
  let top = 12;
  const blocks = groups.map((group) => {
    const block = blockOf(group, { size, top });
    top += titleHeight + group.rows.length * rowHeight + 16;
    return block;
  });
  const footer = `${machine.cpu}, ${machine.cores} cores, ${machine.date}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${top + 24}" font-family="system-ui, sans-serif" font-size="12">
<style>
text { fill: #24292f; } .title { font-weight: 600; font-size: 14px; } .quiet { fill: #6e7781; }
.ours { fill: #1f6feb; } .wllama { fill: #bf8700; } .native { fill: #8c959f; }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } .quiet { fill: #8b949e; } }
</style>
${blocks.join("\n")}
<text class="quiet" x="12" y="${top + 12}">${escapeXml(footer)}</text>
</svg>
`;
}

function blockOf({ model, threads, rows }: Group, { size, top }: { size: string; top: number }): string {
  const title = `${size} ${model}, ${threadsText(threads)}`;
  const panels = [
    { name: "prefill, tokens/s", left: labelWidth, of: (row: Row) => row.median?.warm.prefill },
    { name: "decode, tokens/s", left: labelWidth + panelWidth + 20, of: (row: Row) => row.median?.warm.decode },
  ];
  const heads = panels.map(({ name, left }) => `<text class="quiet" x="${left}" y="${top + 34}">${name}</text>`);
  const labels = rows.map(
    ({ label }, at) =>
      `<text x="${labelWidth - 8}" y="${rowTop(top, at) + 13}" text-anchor="end">${escapeXml(label)}</text>`,
  );
  const bars = panels.flatMap(({ left, of }) => {
    const most = Math.max(...rows.map((row) => of(row) ?? 0));
    return rows.map((row, at) => bar(of(row), { most, left, top: rowTop(top, at), family: row.family }));
  });
  return [`<text class="title" x="12" y="${top + 16}">${escapeXml(title)}</text>`, ...heads, ...labels, ...bars].join(
    "\n",
  );
}

function rowTop(top: number, at: number): number {
  return top + titleHeight + at * rowHeight;
}

function bar(
  value: number | undefined,
  { most, left, top, family }: { most: number; left: number; top: number; family: Row["family"] },
): string {
  if (value === undefined) return `<text class="quiet" x="${left}" y="${top + 13}">failed</text>`;
  // Room for the number beside the longest.
  const length = Math.max(1, (value / most) * (panelWidth - 44));
  return (
    `<rect class="${family}" x="${left}" y="${top + 2}" width="${length.toFixed(1)}" height="${rowHeight - 6}" rx="2"/>` +
    `<text x="${(left + length + 5).toFixed(1)}" y="${top + 13}">${value.toFixed(value < 100 ? 1 : 0)}</text>`
  );
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
