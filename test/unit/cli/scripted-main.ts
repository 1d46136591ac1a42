// The command line in a process of its own, on a scripted API: `SCRIPT` holds the script as JSON.
import type { Process } from "../../../src/cli/process-host.ts";
import { createProcessHost } from "../../../src/cli/process-host.ts";
import { runProgram } from "../../../src/cli/program.ts";
import type { Script } from "./scripted-sdk.ts";
import { createScriptedSdk } from "./scripted-sdk.ts";

// Node, Deno and Bun all have what the host uses of it.
const runtime = globalThis.process as unknown as Process;
const { sdk } = createScriptedSdk(JSON.parse(runtime.env.SCRIPT ?? "{}") as Script);
runtime.exit(await runProgram(sdk, createProcessHost(runtime, "1.2.3")));
