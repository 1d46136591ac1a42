import type { ChatCommand } from "./chat-command.ts";
import { chatHelp, parseChatLine } from "./chat-command.ts";
import type { Flags } from "./flags.ts";
import { toGenerateOptions } from "./flags.ts";
import { grouped, printable } from "./format.ts";
import type { Host } from "./host.ts";
import { interruptible, Interrupted } from "./host.ts";
import type { Context } from "./model.ts";
import { loadWithProgress, show, surface } from "./model.ts";
import { dim } from "./render.ts";
import type { Message, Model, Session } from "./sdk.ts";

/** `ruminate chat`: a conversation on the terminal, or one message a line from a pipe. */
export async function chat(context: Context, flags: Flags): Promise<void> {
  const { host } = context;
  const model = await interruptible(host, (signal) => loadWithProgress(context, flags, signal));
  try {
    const conversation = new Conversation(host, model, flags);
    await (host.stdin.isTTY ? talk(conversation, context, model) : readMessages(conversation, host));
  } finally {
    await model.close();
  }
}

async function talk(conversation: Conversation, { sdk, host }: Context, model: Model): Promise<void> {
  const { name, architecture } = model.info;
  const greeting = `${printable(name ?? architecture)}, ${grouped(model.info.contextTrained)} tokens of context. /help lists commands, Ctrl-D leaves.`;
  await conversation.note(greeting);
  while (!host.stdout.closed.aborted) {
    const line = await host.ask("> ");
    if (line === undefined) return;
    try {
      if (!(await conversation.take(line))) return;
    } catch (error) {
      // A stopped answer or a refused request leaves the conversation as it was; a dead engine ends it.
      if (sdk.InferenceError.is(error, "crashed") || sdk.InferenceError.is(error, "closed")) throw error;
      if (error instanceof Interrupted) await conversation.note("(stopped)");
      else await host.stderr.write(`error: ${printable(error instanceof Error ? error.message : String(error))}\n`);
    }
  }
}

async function readMessages(conversation: Conversation, host: Host): Promise<void> {
  await interruptible(host, async (signal) => {
    for await (const line of host.stdin.lines(signal)) if (!(await conversation.take(line))) return;
  });
}

/** A session, and what the user may change about it while it goes on. */
class Conversation {
  readonly #host: Host;
  readonly #model: Model;
  #flags: Flags;
  #session: Session | undefined;

  constructor(host: Host, model: Model, flags: Flags) {
    this.#host = host;
    this.#model = model;
    this.#flags = flags;
  }

  /**
   * Answers a message or obeys a command.
   *
   * @returns Whether the conversation goes on.
   */
  async take(line: string): Promise<boolean> {
    if (line.trim() === "") return true;
    const meant = parseChatLine(line.trim());
    if (typeof meant !== "string") return this.#obey(meant);
    await interruptible(this.#host, async (signal) => {
      this.#session ??= await this.#start([]);
      await show(this.#session.prompt(meant, { ...toGenerateOptions(this.#flags), signal }), this.#host, this.#flags);
    });
    return true;
  }

  /** A line beside the conversation. */
  async note(text: string): Promise<void> {
    if (!this.#flags.quiet) await this.#host.stderr.write(`${dim(text, surface(this.#host, "stderr"))}\n`);
  }

  async #obey(command: ChatCommand): Promise<boolean> {
    switch (command.name) {
      case "exit":
        return false;
      case "help":
        await this.#host.stderr.write(chatHelp);
        break;
      case "reset":
        await this.#restart([]);
        await this.note("(a new conversation)");
        break;
      case "think":
        this.#flags = { ...this.#flags, think: command.mode };
        break;
      case "budget":
        this.#flags = { ...this.#flags, budget: command.tokens };
        break;
      case "system":
        await this.#setSystem(command.text);
        break;
    }
    return true;
  }

  async #setSystem(text: string): Promise<void> {
    const { system: _before, ...others } = this.#flags;
    this.#flags = text === "" ? others : { ...others, system: text };
    await this.#restart(this.#session?.messages.filter(({ role }) => role !== "system") ?? []);
  }

  async #restart(history: readonly Message[]): Promise<void> {
    await this.#session?.close();
    this.#session = undefined;
    if (history.length > 0) this.#session = await this.#start(history);
  }

  #start(history: readonly Message[]): Promise<Session> {
    const { system } = this.#flags;
    return this.#model.session({ keepReasoning: "none", history, ...(system === undefined ? {} : { system }) });
  }
}
