import { builtinModule } from "./detect.ts";

interface ProcessHost {
  readonly process?: { readonly pid?: number; kill?(pid: number, signal: 0): unknown };
}

/** Names this process among all on this and other computers, as far as the host tells. */
export function thisProcess(): { readonly pid: number; readonly computer: string } {
  const { process } = globalThis as ProcessHost;
  let computer = "";
  try {
    computer = builtinModule<{ hostname(): string }>("node:os")?.hostname() ?? "";
  } catch {
    // Deno may deny it: then nobody is taken for dead by number.
  }
  return { pid: process?.pid ?? 0, computer };
}

/** Whether a process of this computer has surely ended. */
export function hasEnded(pid: number): boolean {
  const { process } = globalThis as ProcessHost;
  if (pid <= 0 || !process?.kill) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return typeof error === "object" && error !== null && Reflect.get(error, "code") === "ESRCH";
  }
}
