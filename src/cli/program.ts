import { Command, CommanderError, Option } from "commander";
import { chat } from "./chat.ts";
import { chatHelp } from "./chat-command.ts";
import { doctor } from "./doctor.ts";
import type { Flags } from "./flags.ts";
import { addGenerationFlags, addModelFlags, addOutputFlags } from "./flags.ts";
import { printable } from "./format.ts";
import type { Host } from "./host.ts";
import { Interrupted, UsageError } from "./host.ts";
import { inspect } from "./inspect.ts";
import type { Context } from "./model.ts";
import { parseModel } from "./parse.ts";
import type { RunFlags } from "./run.ts";
import { run } from "./run.ts";
import type { Sdk } from "./sdk.ts";
import { describeServe } from "./serve-command.ts";
import type { ServeFlags } from "./serve.ts";
import { serve } from "./serve.ts";
import { addStoreCommands } from "./store-commands.ts";

/** Exit codes: 0 done, 1 failed, 2 wrong arguments, 130 Ctrl-C. */
export type ExitCode = 0 | 1 | 2 | 130;

/**
 * Runs the command that the host's arguments name. Everything that goes wrong is told on stderr.
 *
 * @returns The exit code; it never throws.
 */
export async function runProgram(sdk: Sdk, host: Host): Promise<ExitCode> {
  try {
    return await perform(sdk, host);
  } catch (error) {
    if (error instanceof Interrupted) return 130;
    // Whoever read the output has seen enough, as `head` does.
    if (host.stdout.closed.aborted) return 0;
    await host.stderr.write(`${describe(error, { sdk, host })}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function perform(sdk: Sdk, host: Host): Promise<ExitCode> {
  const outcome: Outcome = { code: 0, written: [] };
  try {
    await createProgram({ sdk, host }, outcome).parseAsync(host.arguments, { from: "user" });
  } catch (error) {
    // Help, version and mistakes in the arguments: the text was written, this is how the parser stops.
    if (!(error instanceof CommanderError)) throw error;
    outcome.code = error.exitCode === 0 ? 0 : 2;
  }
  await Promise.all(outcome.written);
  return outcome.code;
}

/** What commands leave behind: the exit code, and the writes of help texts, which the parser does not wait for. */
interface Outcome {
  code: ExitCode;
  readonly written: Promise<void>[];
}

function createProgram(context: Context, outcome: Outcome): Command {
  const { host } = context;
  const keep = (write: Promise<void>): void => {
    // Looked at later: until then a failure is nobody's.
    write.catch(() => {});
    outcome.written.push(write);
  };
  const program = new Command("ruminate")
    .description("Runs reasoning language models (GGUF) here, on this machine.")
    .usage("<command> [options]")
    .version(host.version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help; also after a command")
    .helpCommand("help [command]", "print help")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => keep(host.stdout.write(text)),
      writeErr: (text) => keep(host.stderr.write(text)),
      getOutHelpWidth: () => host.stdout.columns,
      getErrHelpWidth: () => host.stderr.columns,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText(
      "after",
      `
Examples:
  ruminate run "What is 47 + 85?"
  ruminate chat --model hf:unsloth/GLM-Z1-9B-0414-GGUF:Q4_K_M
  ruminate serve model.gguf --port 8080
  ruminate pull hf:unsloth/GLM-Z1-9B-0414-GGUF:Q4_K_M
  ruminate inspect model.gguf
  ruminate doctor`,
    );

  describeRun(program.command("run"))
    .argument("[prompt...]", "what to ask; with text from a pipe, both, a blank line between")
    .action((words: string[], flags: RunFlags) => run(context, words, flags));

  describeChat(program.command("chat")).action((flags: Flags) => chat(context, flags));

  describeServe(program.command("serve")).action((source, flags: ServeFlags) => serve(context, source, flags));

  program
    .command("inspect")
    .description("Tells what a model is and needs, from its header alone.")
    .argument("[model]", "path, URL or hf:owner/repo[:quant] (default: the bundled ruminate-nano)", parseModel)
    .option("--json", "everything, metadata included, as JSON")
    .addHelpText(
      "after",
      `
Examples:
  ruminate inspect GLM-Z1-9B-0414-Q4_K_M.gguf
  ruminate inspect hf:unsloth/GLM-Z1-9B-0414-GGUF:Q4_K_M --json`,
    )
    .action((source, flags: { json?: boolean }) => inspect(context, source, flags));

  addStoreCommands(program, context);

  program
    .command("doctor")
    .description("Tells what this host can do, and tests it with the bundled model.")
    .option("--json", "the report as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  ruminate doctor\n  ruminate doctor --json\n\nExit code 1: the self-test failed.",
    )
    .action(async (flags: { json?: boolean }) => {
      outcome.code = (await doctor(context, flags)) ? 0 : 1;
    });
  // Last, since commands inherit what is set before them.
  return program.allowExcessArguments().action(() => noCommand(program));
}

function describeRun(command: Command): Command {
  addOutputFlags(addGenerationFlags(addModelFlags(command.description("Answers one prompt."))))
    .optionsGroup("Form:")
    .addOption(
      new Option("--raw", "complete the prompt as it is, without the model's chat template").conflicts(["system"]),
    )
    .addOption(new Option("--json-schema <file>", "the answer is JSON that fits this schema").conflicts(["grammar"]))
    .option("--grammar <file>", "the answer follows this GBNF grammar")
    .showHelpAfterError("(ruminate run --help lists the options; a prompt that begins with a dash goes after --)");
  return command.addHelpText(
    "after",
    `
The answer goes to stdout, thoughts and statistics beside it; in a file or a pipe the answer is alone.
A script that has no input to give adds: < /dev/null

Examples:
  ruminate run "What is 47 + 85?"
  ruminate run --think off "Say hello." > answer.txt
  git diff | ruminate run -m model.gguf "Review this change:"
  ruminate run --json "What is 6 x 7?" < /dev/null | jq -j 'select(.type == "text").text'
  ruminate run -- "-5 + 3 = ?"`,
  );
}

function describeChat(command: Command): Command {
  addOutputFlags(
    addGenerationFlags(addModelFlags(command.description("Holds a conversation; thoughts are not remembered."))),
  );
  return command.showHelpAfterError("(ruminate chat --help lists the options)").addHelpText(
    "after",
    `
On a terminal:
${chatHelp.replaceAll(/^(?=.)/gm, "  ")}
Without a terminal, every line of the input is one message or command; an unknown command ends it.

Examples:
  ruminate chat --system "Answer briefly."
  printf '%s\\n' "What is 47 + 85?" "Add 7 to that." | ruminate chat`,
  );
}

/** Something that is not a command: most likely a prompt without `run`. */
function noCommand(program: Command): void {
  if (program.args.length === 0) program.help({ error: true });
  const words = program.args.join(" ");
  throw new UsageError(
    `there is no command ${JSON.stringify(words)}; to ask a model: ruminate run ${quoted(words)}; to see the commands: ruminate --help`,
  );
}

function quoted(words: string): string {
  return /^[^"$`\\!]*$/.test(words) ? `"${words}"` : `'${words.replaceAll("'", String.raw`'\''`)}'`;
}

function describe(error: unknown, { sdk, host }: Context): string {
  if (!(error instanceof Error)) return `error: ${printable(String(error))}`;
  const code = sdk.InferenceError.is(error) ? ` (${error.code})` : "";
  const message = `error: ${printable(error.message)}${code}`;
  if (host.environment.RUMINATE_DEBUG !== "1") return message;
  return [message, ...stacks(error)].join("\n");
}

function stacks(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  return [error.stack ?? "", ...stacks(error.cause).map((stack) => `caused by ${stack}`)];
}
