import type { GenerationFlags } from "./flags.ts";
import { UsageError } from "./host.ts";

/** What a line that begins with a slash asks for. */
export type ChatCommand =
  | { readonly name: "exit" | "reset" | "help" }
  | { readonly name: "think"; readonly mode: NonNullable<GenerationFlags["think"]> }
  | { readonly name: "budget"; readonly tokens: number }
  | { readonly name: "system"; readonly text: string };

export const chatHelp: string = `/think auto|force|off   whether the model thinks before it answers
/budget TOKENS          think at most so long; /budget unlimited: as long as it likes
/system TEXT            another system prompt; without text: none
/reset                  forget the conversation
/help                   this list
/exit                   leave, as Ctrl-D does
//TEXT                  a message that begins with a slash
Ctrl-C stops an answer; once more leaves.
`;

/**
 * Tells commands from messages.
 *
 * @returns A command, or the message that the line is.
 * @throws {UsageError} if the command is unknown or its argument is not one of those it takes
 */
export function parseChatLine(line: string): ChatCommand | string {
  if (line.startsWith("//")) return line.slice(1);
  if (!line.startsWith("/")) return line;
  const [word = "", ...rest] = line.slice(1).split(/\s+/);
  const argument = line.slice(1 + word.length).trim();
  switch (word) {
    case "exit":
    case "quit":
      return { name: "exit" };
    case "reset":
    case "help":
      return { name: word };
    case "system":
      return { name: "system", text: argument };
    case "think":
      if (argument === "auto" || argument === "force" || argument === "off") return { name: "think", mode: argument };
      throw new UsageError("/think takes auto, force or off");
    case "budget":
      if (argument === "unlimited") return { name: "budget", tokens: Infinity };
      if (rest.length === 1 && /^\d{1,9}$/.test(argument)) return { name: "budget", tokens: Number(argument) };
      throw new UsageError("/budget takes a number of tokens, or unlimited");
    default:
      throw new UsageError(`there is no /${word}; /help lists the commands, and // begins a message with a slash`);
  }
}
