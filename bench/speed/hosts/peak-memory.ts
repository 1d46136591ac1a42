import { readFileSync } from "node:fs";

/** The most memory that this process has had resident, in bytes; undefined where the system does not tell. */
export function peakMemory(): number | undefined {
  try {
    const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  } catch {
    // Only Linux has the file.
    return process.platform === "win32" ? undefined : process.resourceUsage().maxRSS * 1024;
  }
}
