// The host of the cases in a page: the HostConfig in the address, one console line a report.
import type { HostConfig, HostReport } from "../contract.ts";
import { execute } from "../execute.ts";

const unhandled: string[] = [];
addEventListener("unhandledrejection", (event) =>
  // The types of the test folder are those of Bun, which has no such events.
  unhandled.push(`unhandled rejection: ${describe((event as PromiseRejectionEvent).reason)}`),
);
addEventListener("error", (event) => {
  const { error, message } = event as ErrorEvent;
  unhandled.push(`uncaught error: ${describe(error ?? message)}`);
});

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}\n${error.stack ?? ""}` : String(error);
}

// The runner wrote this address and is of the same version.
const config = JSON.parse(decodeURIComponent(location.hash.slice(1))) as HostConfig;
const report = (line: HostReport): void => console.log(JSON.stringify(line));
await execute(config, { unhandled }, report);
