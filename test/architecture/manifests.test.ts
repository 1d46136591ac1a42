import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../../scripts/command.ts";

type Names = Readonly<Record<string, string>>;

// JSON.parse answers any; these are the parts that the tests look at, and they fail if the parts are not there.
const read = <T>(path: string): T => JSON.parse(readFileSync(join(root, path), "utf8")) as T;
const manifest = read<{
  version: string;
  license: string;
  exports: Readonly<Record<string, string | Names>>;
  dependencies?: Names;
  devDependencies: Names;
  allowScripts: Readonly<Record<string, boolean>>;
}>("package.json");
const deno = read<{ version: string; license: string; exports: Names; imports: Names }>("deno.json");
interface LockEntry {
  readonly hasInstallScript?: boolean;
  readonly resolved?: string;
  readonly optionalDependencies?: Names;
}
const lock = read<{ packages: Readonly<Record<string, LockEntry>> }>("package-lock.json");

/** Where the build takes each entry from. */
const sourceOf: Names = {
  "./dist/index.js": "./src/index.ts",
  "./dist/reasoning.js": "./src/reasoning/index.ts",
  "./dist/openai.js": "./src/openai.ts",
  "./dist/ai-sdk.js": "./src/ai-sdk.ts",
};

describe("deno.json", () => {
  test("exports the names of package.json, from the sources that the build bundles", () => {
    const modules = Object.entries(manifest.exports).flatMap(([name, target]) =>
      typeof target === "string" ? [] : [[name, sourceOf[target["default"] ?? ""]]],
    );
    expect(deno.exports).toEqual(Object.fromEntries(modules));
  });

  test("documents all of them in the API reference", () => {
    const { entryPoints } = read<{ entryPoints: readonly string[] }>("typedoc.json");
    expect(entryPoints.map((path) => `./${path}`)).toEqual(Object.values(deno.exports));
  });

  test("has the version and licence of package.json", () => {
    expect({ version: deno.version, license: deno.license }).toEqual({
      version: manifest.version,
      license: manifest.license,
    });
  });

  test("imports exactly the packages that src imports, at the versions of package.json", () => {
    const imported = new Set<string>();
    for (const file of readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })) {
      if (!file.endsWith(".ts")) continue;
      const text = readFileSync(join(root, "src", file), "utf8");
      for (const [, name] of text.matchAll(/(?:from|import\()\s*"((?:@[^/"]+\/)?[^./"@][^/"]*)/g)) {
        if (name !== undefined) imported.add(name);
      }
    }
    const wanted = new Map<string, string>();
    for (const name of imported) wanted.set(name, `npm:${name}@${manifest.devDependencies[name]}`);
    const given = new Map<string, string>();
    for (const [name, target] of Object.entries(deno.imports)) {
      // A trailing slash maps the files inside a package; it must say the same version.
      const inside = name.endsWith("/");
      given.set(
        inside ? name.slice(0, -1) : name,
        inside ? target.replace("npm:/", "npm:").replace(/\/$/, "") : target,
      );
    }
    expect(Object.fromEntries(given)).toEqual(Object.fromEntries(wanted));
  });
});

describe("package.json", () => {
  test("has no run-time dependency, since dist bundles them all", () => {
    expect(manifest.dependencies).toBeUndefined();
  });

  test("pins every tool to one version", () => {
    const loose = Object.entries(manifest.devDependencies).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version));
    expect(loose).toEqual([]);
  });

  test("allows the install script of each package that has one, and of no other", () => {
    const scripted = Object.entries(lock.packages)
      // fsevents is for macOS alone and is never installed where install scripts are reviewed.
      .filter(([path, entry]) => entry.hasInstallScript === true && !path.endsWith("/fsevents"))
      .map(([path]) => path.replace(/.*node_modules\//, ""));
    expect(Object.keys(manifest.allowScripts).sort()).toEqual([...new Set(scripted)].sort());
  });
});

describe("package-lock.json", () => {
  test("names no registry, so that every mirror serves it", () => {
    expect(Object.entries(lock.packages).filter(([, entry]) => entry.resolved !== undefined)).toEqual([]);
  });

  test("holds the optional packages of every platform (scripts/complete-lock.ts adds what npm left out)", () => {
    const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !(`node_modules/${name}` in lock.packages) && !(`${path}/node_modules/${name}` in lock.packages),
      ),
    );
    expect(missing).toEqual([]);
  });
});
