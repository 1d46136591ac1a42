// Adds to package-lock.json the optional packages of other platforms that npm left out, as it does when a registry has
// only some of them: without them `npm ci` takes the lock file for outdated, and other platforms lack their binaries.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./command.ts";

interface LockEntry {
  readonly version?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const file = join(root, "package-lock.json");
// npm's own format, version 3; where a part is missing, the script fails.
const lock = JSON.parse(readFileSync(file, "utf8")) as { packages: Record<string, LockEntry> };

const systems: readonly (readonly [RegExp, string])[] = [
  [/darwin|mac/, "darwin"],
  [/win32|win/, "win32"],
  [/android/, "android"],
  [/freebsd/, "freebsd"],
  [/openbsd/, "openbsd"],
  [/netbsd/, "netbsd"],
  [/openharmony/, "openharmony"],
  [/sunos/, "sunos"],
  [/aix/, "aix"],
  [/linux/, "linux"],
];
const processors: readonly (readonly [RegExp, string])[] = [
  [/arm64|aarch64/, "arm64"],
  [/arm/, "arm"],
  [/x64/, "x64"],
  [/ia32/, "ia32"],
  [/riscv64/, "riscv64"],
  [/ppc64/, "ppc64"],
  [/s390x/, "s390x"],
  [/loong64/, "loong64"],
  [/wasm32/, "wasm32"],
];
const libraries: readonly (readonly [RegExp, string])[] = [
  [/musl/, "musl"],
  [/gnu|glibc/, "glibc"],
];

/** What a platform package's name says about where it runs. */
function platform(name: string): Record<string, readonly string[]> {
  const find = (table: readonly (readonly [RegExp, string])[]): string | undefined =>
    table.find(([pattern]) => pattern.test(name.slice(name.indexOf("/") + 1)))?.[1];
  const os = find(systems);
  const cpu = find(processors);
  if (os === undefined && cpu === undefined) throw new Error(`Cannot tell from its name where ${name} runs`);
  const libc = os === "linux" ? find(libraries) : undefined;
  return { ...(cpu && { cpu: [cpu] }), ...(libc && { libc: [libc] }), ...(os && { os: [os] }) };
}

let added = 0;
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (`node_modules/${name}` in lock.packages || `${path}/node_modules/${name}` in lock.packages) continue;
    if (!/^\d+\.\d+\.\d+/.test(version))
      throw new Error(`Cannot lock ${name}: ${path} wants ${version}, not one version`);
    lock.packages[`node_modules/${name}`] = { version, ...platform(name), dev: true, optional: true } as LockEntry;
    added++;
  }
}
const order = (a: [string, unknown], b: [string, unknown]): number => a[0].localeCompare(b[0], "en");
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(order));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`added ${added} packages of other platforms`);
