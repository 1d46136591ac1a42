import { UsageError } from "./parse.ts";
import { Obstacle } from "./models.ts";

/**
 * Runs a benchmark, with a signal that aborts on Ctrl-C, so that processes and temporary files are gone at the end. What
 * the user can do something about is told in a line.
 */
export async function interruptible(command: string, main: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new Error("interrupted"));
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);
  try {
    await main(controller.signal);
  } catch (error) {
    if (controller.signal.aborted) {
      console.error("\nInterrupted; nothing is left running.");
      process.exitCode = 130;
    } else if (error instanceof UsageError) {
      console.error(`${error.message}\n\nWhat there is: ${command} -- --help`);
      process.exitCode = 2;
    } else if (error instanceof Obstacle) {
      console.error(error.message);
      process.exitCode = 1;
    } else throw error;
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
}
