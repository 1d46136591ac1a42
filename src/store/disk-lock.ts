import { pause } from "../waiting.ts";
import { InferenceError } from "../errors.ts";
import type { DiskFolder } from "../platform/disk-folder.ts";
import { errorCode } from "../platform/disk-folder.ts";
import { hasEnded, thisProcess } from "../platform/this-process.ts";
import type { StoreLock } from "./model-store.ts";

/** Milliseconds. */
export interface LockTiming {
  /** Between two looks at a lock that another has. */
  readonly poll: number;
  /** Between two signs of life. */
  readonly heartbeat: number;
  /** A lock without a sign of life for so long is anybody's. */
  readonly stale: number;
}

export const usualTiming: LockTiming = { poll: 200, heartbeat: 2_000, stale: 20_000 };

interface Owner {
  readonly id: string;
  readonly pid: number;
  readonly computer: string;
}

function parseOwner(text: string | null): Owner | undefined {
  try {
    const { id, pid, computer } = JSON.parse(text ?? "") as Partial<Record<keyof Owner, unknown>>;
    if (typeof id === "string" && typeof pid === "number" && typeof computer === "string") return { id, pid, computer };
  } catch {
    // Its owner was ended between making the file and writing into it, or is about to write.
  }
  return undefined;
}

/**
 * A lock between processes: a file that only one can make. Its owner touches it every other second; one whose process
 * has ended, or that nobody touched for long, is taken over.
 *
 * @throws `signal.reason`
 */
export async function lockFile(
  folder: DiskFolder,
  name: string,
  { signal, timing = usualTiming }: { signal?: AbortSignal | undefined; timing?: LockTiming } = {},
): Promise<StoreLock> {
  const id = crypto.randomUUID();
  const text = JSON.stringify({ id, ...thisProcess() });
  for (;;) {
    signal?.throwIfAborted();
    await folder.make();
    if (await folder.createExclusively(name, text)) return held(folder, name, { id, timing });
    if (!(await breakStale(folder, name, timing))) await pause(timing.poll, signal);
  }
}

async function isStale(folder: DiskFolder, name: string, { stale }: LockTiming): Promise<boolean> {
  const stat = await folder.stat(name);
  if (!stat) return false;
  if (Date.now() - stat.changedAt > stale) return true;
  const owner = parseOwner(await folder.readText(name));
  const { computer } = thisProcess();
  return owner !== undefined && computer !== "" && owner.computer === computer && hasEnded(owner.pid);
}

/** Removes a lock whose owner is gone; true if there is a chance to have it now. */
async function breakStale(folder: DiskFolder, name: string, timing: LockTiming): Promise<boolean> {
  if (!(await isStale(folder, name, timing))) return false;
  // One at a time, and looked at again within: else the second of two who saw it stale would remove the first's new lock.
  const breaking = `${name}.break`;
  if (!(await folder.createExclusively(breaking, JSON.stringify({ id: "", ...thisProcess() })))) {
    if (await isStale(folder, breaking, timing)) await folder.remove(breaking);
    return false;
  }
  try {
    if (!(await isStale(folder, name, timing))) return false;
    await folder.remove(name);
    return true;
  } finally {
    await folder.remove(breaking);
  }
}

function held(folder: DiskFolder, name: string, { id, timing }: { id: string; timing: LockTiming }): StoreLock {
  const lost = new AbortController();
  const isOurs = async (): Promise<boolean> => parseOwner(await folder.readText(name))?.id === id;
  const beat = async (): Promise<void> => {
    try {
      if (await isOurs()) return await folder.touch(name);
    } catch (error) {
      // A disk that is slow or full for a moment is no loss; a lock that is gone is.
      if (errorCode(error) !== "ENOENT") return;
    }
    const message = `Cannot go on with ${name}: another process took it over, since this one seemed to have stopped`;
    lost.abort(new InferenceError("busy", message));
    clearInterval(timer);
  };
  let beating = Promise.resolve();
  const timer = setInterval(() => {
    beating = beat();
  }, timing.heartbeat);
  return {
    lost: lost.signal,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await beating;
      if (!lost.signal.aborted && (await isOurs())) await folder.remove(name);
    },
  };
}
