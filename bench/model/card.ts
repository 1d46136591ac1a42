import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const card = fileURLToPath(new URL("../../models/README.md", import.meta.url));
const section = /(<!-- bench:model -->)([^]*)(<!-- \/bench:model -->)/;

/**
 * Puts parts into the model card under their titles, in the order of `titles`. Parts that were not measured this time
 * stay, each with what it says about its own run.
 *
 * @throws {Error} if the card has no place for them
 */
export function writeCard(parts: ReadonlyMap<string, string>, titles: readonly string[]): void {
  const text = readFileSync(card, "utf8");
  const [, open, old = "", close] = section.exec(text) ?? [];
  if (open === undefined) throw new Error(`${card} has no <!-- bench:model --> and <!-- /bench:model -->`);
  const all = new Map(
    old
      .split(/^### /m)
      .slice(1)
      .map((part) => [part.slice(0, part.indexOf("\n")).trim(), part.slice(part.indexOf("\n")).trim()]),
  );
  for (const [title, body] of parts) all.set(title, body);
  const kept = titles.flatMap((title) => {
    const body = all.get(title);
    return body === undefined ? [] : [`### ${title}\n\n${body}`];
  });
  writeFileSync(
    card,
    text.replace(section, () => [open, ...kept, close].join("\n\n")),
  );
}
