/** One command of a shell block, in words, without what stands around it. */
export type ShellCommand = readonly [string, ...string[]];

/**
 * The commands of a block: no comments, no variables set before them, one for each part of a pipe or a chain. It knows
 * what guides use: quotes, and a backslash at the end of a line.
 */
export function commandsOf(code: string): ShellCommand[] {
  const words = code.replaceAll(/\\\n/g, " ").match(/(?:"[^"]*"|'[^']*'|[^\s"'#|&;]|(?<=\S)#)+|#[^\n]*|\n|[|&;]+/g);
  const commands: [string, ...string[]][] = [];
  let current: string[] = [];
  const end = (): void => {
    const [program, ...rest] = current;
    if (program !== undefined) commands.push([program, ...rest]);
    current = [];
  };
  for (const word of words ?? []) {
    if (/^(\n|[|&;]+)$/.test(word)) end();
    else if (!word.startsWith("#") && !(current.length === 0 && /^[A-Z_]+=/.test(word))) current.push(word);
  }
  end();
  return commands;
}
