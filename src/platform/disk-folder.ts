import { InferenceError } from "../errors.ts";
import { builtinModule, detectRuntime } from "./detect.ts";

/** A file that is written from some byte on. */
export interface DiskWriter {
  write(chunk: Uint8Array): Promise<void>;
  /** Has the disk take what was written. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

interface Handle extends Pick<DiskWriter, "sync" | "close"> {
  write(bytes: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesWritten: number }>;
  truncate(length: number): Promise<void>;
}
interface Stats {
  readonly size: number;
  readonly mtimeMs: number;
  isFile(): boolean;
}
interface FileSystem {
  open(path: string, flags: string, mode?: number): Promise<Handle>;
  stat(path: string): Promise<Stats>;
  mkdir(path: string, options: { recursive: true }): Promise<unknown>;
  readdir(path: string): Promise<string[]>;
  readFile(path: string, encoding: "utf8"): Promise<string>;
  writeFile(path: string, text: string, options: { flag: "wx" }): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options: { force: true }): Promise<void>;
  utimes(path: string, accessed: Date, modified: Date): Promise<void>;
}

/** The code of a system's error, such as ENOENT; "" if it is none. */
export function errorCode(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  // Deno's own names for the one that matters.
  if (Reflect.get(error, "name") === "NotFound") return "ENOENT";
  const code: unknown = Reflect.get(error, "code");
  return typeof code === "string" ? code : "";
}

/** The little of node:fs/promises that stores of models and their locks need. */
export class DiskFolder {
  readonly #fs: FileSystem;
  readonly #join: (...parts: string[]) => string;
  readonly path: string;

  private constructor(fs: FileSystem, join: (...parts: string[]) => string, path: string) {
    this.#fs = fs;
    this.#join = join;
    this.path = path;
  }

  /**
   * A folder that is made when something is put into it.
   *
   * @throws {InferenceError} `unsupported` where there is no file system
   */
  static at(path: string): DiskFolder {
    const fs = builtinModule<FileSystem>("node:fs/promises");
    const paths = builtinModule<{ join(...parts: string[]): string }>("node:path");
    if (!["node", "deno", "bun"].includes(detectRuntime()) || !fs || !paths) {
      throw new InferenceError("unsupported", `Cannot keep models in ${path}: this host has no file system`);
    }
    return new DiskFolder(fs, paths.join, path);
  }

  folder(name: string): DiskFolder {
    return new DiskFolder(this.#fs, this.#join, this.file(name));
  }

  file(name: string): string {
    return this.#join(this.path, name);
  }

  async make(): Promise<void> {
    await this.#fs.mkdir(this.path, { recursive: true });
  }

  /** What a file is; null if there is none. */
  async stat(name: string): Promise<{ size: number; changedAt: number } | null> {
    try {
      const stats = await this.#fs.stat(this.file(name));
      return stats.isFile() ? { size: stats.size, changedAt: stats.mtimeMs } : null;
    } catch (error) {
      if (errorCode(error) === "ENOENT") return null;
      throw error;
    }
  }

  /** Names of what is in it; none if there is no such folder. */
  async names(): Promise<string[]> {
    try {
      return await this.#fs.readdir(this.path);
    } catch (error) {
      if (errorCode(error) === "ENOENT") return [];
      throw error;
    }
  }

  /** A file's text; null if there is none. */
  async readText(name: string): Promise<string | null> {
    try {
      return await this.#fs.readFile(this.file(name), "utf8");
    } catch (error) {
      if (errorCode(error) === "ENOENT") return null;
      throw error;
    }
  }

  /** Makes a file that must not be there yet; false if it is. */
  async createExclusively(name: string, text: string): Promise<boolean> {
    try {
      await this.#fs.writeFile(this.file(name), text, { flag: "wx" });
      return true;
    } catch (error) {
      if (errorCode(error) === "EEXIST") return false;
      throw error;
    }
  }

  /** Cuts a file at a byte, making it at 0, and writes on from there. */
  async writeFrom(name: string, at: number): Promise<DiskWriter> {
    const handle = await this.#fs.open(this.file(name), at === 0 ? "w" : "r+", 0o600);
    let position = at;
    try {
      if (at > 0) await handle.truncate(at);
    } catch (error) {
      await handle.close();
      throw error;
    }
    return {
      async write(chunk) {
        for (let done = 0; done < chunk.byteLength;) {
          const { bytesWritten } = await handle.write(chunk, done, chunk.byteLength - done, position);
          done += bytesWritten;
          position += bytesWritten;
        }
      },
      sync: () => handle.sync(),
      close: () => handle.close(),
    };
  }

  /** Takes a file over from another folder of the same disk, in one step, in place of one of that name. */
  moveIn(from: DiskFolder, name: string): Promise<void> {
    return this.#fs.rename(from.file(name), this.file(name));
  }

  remove(name: string): Promise<void> {
    return this.#fs.rm(this.file(name), { force: true });
  }

  /** Says that a file changed now. */
  touch(name: string): Promise<void> {
    const now = new Date();
    return this.#fs.utimes(this.file(name), now, now);
  }
}
