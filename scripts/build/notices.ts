import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { BuildPlugin } from "./plugin.ts";

interface Component {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly text: string;
}

const mit = (copyright: string): string => `MIT License

${copyright}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

// Compiled into our WebAssembly modules, so that no package.json of ours names them.
const insideWasm: readonly (readonly [name: string, copyright: string])[] = [
  ["llama.cpp and ggml", "Copyright (c) 2023-2026 The ggml authors"],
  ["JSON for Modern C++", "Copyright (c) 2013-2026 Niels Lohmann"],
  ["Emscripten", "Copyright (c) 2010-2026 Emscripten authors, see their AUTHORS file"],
  ["musl", "Copyright © 2005-2020 Rich Felker, et al."],
];

/** The packages whose assets are copied whole, beside those that the bundler reads. */
const copied = ["@wllama/wllama", "@wllama/wllama-compat"];
// The compat package has no licence file of its own; it is built from the same repository.
const licenseOf: Readonly<Record<string, string>> = { "@wllama/wllama-compat": "@wllama/wllama" };

export interface Notices {
  readonly plugin: BuildPlugin;
  /**
   * One text with the name, version and licence of everything that went into `dist`.
   *
   * @throws {Error} when a bundled package carries no licence text.
   */
  render(): string;
}

/** Watches which packages the bundler reads, so that no bundled dependency can be forgotten. */
export function thirdPartyNotices(root: string): Notices {
  const names = new Set(copied);
  const plugin: BuildPlugin = {
    name: "third-party-notices",
    setup(build) {
      build.onLoad({ filter: /[/\\]node_modules[/\\]/ }, ({ path }) => {
        const name = /.*[/\\]node_modules[/\\]((?:@[^/\\]+[/\\])?[^/\\]+)/.exec(path)?.[1];
        if (name !== undefined) names.add(name.replaceAll("\\", "/"));
        return undefined;
      });
    },
  };
  return {
    plugin,
    render() {
      const components = [...names].sort().map((name) => readComponent(root, name));
      const sections = components.map(
        ({ name, version, license, text }) => `${name} ${version} (${license})\n\n${text}`,
      );
      for (const [name, copyright] of insideWasm) {
        sections.push(`${name}, compiled into the WebAssembly modules (MIT)\n\n${mit(copyright)}`);
      }
      const rule = `\n\n${"-".repeat(80)}\n\n`;
      return `ruminate's distribution contains the following third-party software.${rule}${sections.join(rule)}\n`;
    },
  };
}

function readComponent(root: string, name: string): Component {
  const directory = join(root, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as {
    version: string;
    license: string;
  };
  const from = join(root, "node_modules", licenseOf[name] ?? name);
  const file = readdirSync(from).find((entry) => /^licen[cs]e(\.|$)/i.test(entry));
  if (file === undefined)
    throw new Error(`Cannot write the third-party notices: ${name} has no licence file in ${from}`);
  return { name, version, license, text: readFileSync(join(from, file), "utf8").trim() };
}
