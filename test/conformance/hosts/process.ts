// The host of the cases in Node, Deno and Bun: one argument, the HostConfig as JSON; one JSON line on stdout a report.
import type { HostConfig, HostReport } from "../contract.ts";
import { execute } from "../execute.ts";

const unhandled: string[] = [];
process.on("unhandledRejection", (reason) => unhandled.push(`unhandled rejection: ${describe(reason)}`));
process.on("uncaughtException", (error) => unhandled.push(`uncaught error: ${describe(error)}`));

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

// The runner holds the other end and writes nothing: when it is gone, however it went, so is this host.
process.stdin.on("close", () => process.exit(1)).resume();

// The runner wrote this argument and is of the same version.
const config = JSON.parse(process.argv[2] ?? "") as HostConfig;
const report = (line: HostReport): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
await execute(config, { unhandled }, report);
// A case that hung may hold the process; that it ends by itself otherwise is proven elsewhere.
process.stdout.write("", () => process.exit(0));
