// Measures the SDK in a page: the job comes in the address, the reports go to the console, one a line.
import type * as Sdk from "../../../src/index.ts";
import type { Job, Report } from "../contract.ts";
import { measure } from "../measure.ts";

const report = (line: Report): void => console.log(JSON.stringify(line));

try {
  // The benchmark wrote this address, and is of the same version.
  const job = JSON.parse(decodeURIComponent(location.hash.slice(1))) as Job;
  // The type of a module that is found at run time can't be inferred.
  const { loadModel } = (await import(job.sdk ?? "")) as typeof Sdk;
  await measure(job, { loadModel, runtime: "", report });
  report({ type: "end" });
} catch (error) {
  report({ type: "error", message: error instanceof Error ? error.message : String(error) });
}
