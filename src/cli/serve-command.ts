import type { Command } from "commander";
import { addModelFlags } from "./flags.ts";
import { collect, parseModel, parseOrigin, wholeNumber } from "./parse.ts";

/** `ruminate serve` and its options. */
export function describeServe(command: Command): Command {
  addModelFlags(command.description("Serves a model over HTTP, in the form of OpenAI's API."))
    .argument("[model]", "path, URL or hf:owner/repo[:quant] (default: the bundled ruminate-nano)", parseModel)
    .option("--name <name>", "what clients call the model; may be given several times (default: its own)", collect)
    .optionsGroup("Server:")
    .option("-p, --port <n>", "0: any that is free (default: 8080)", wholeNumber({ min: 0, max: 65535 }))
    .option("--host <address>", "0.0.0.0: for all machines that reach this one (default: 127.0.0.1)")
    .option("--api-key <key>", "clients must send it; may be given several times (or RUMINATE_API_KEY)", collect)
    .option("--cors [origin]", "pages of this origin may call; without one: all pages", parseOrigin)
    .option("--queue <n>", "so many requests may wait, the next gets 429 (default: 16)", wholeNumber({ min: 0 }))
    .option("-q, --quiet", "no progress bar, no line for each request")
    .showHelpAfterError("(ruminate serve --help lists the options)");
  return command.addHelpText(
    "after",
    `
It says where it listens, and goes on until Ctrl-C. Requests are answered one after the other.

Examples:
  ruminate serve
  ruminate serve hf:unsloth/GLM-Z1-9B-0414-GGUF:Q4_K_M --context 16384
  RUMINATE_API_KEY=secret ruminate serve model.gguf --host 0.0.0.0
  curl http://127.0.0.1:8080/v1/chat/completions -H "content-type: application/json" \\
    -d '{ "messages": [{ "role": "user", "content": "What is 47 + 85?" }] }'`,
  );
}
