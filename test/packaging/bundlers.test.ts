// Programs of somebody who bundles: the installed package through each bundler, built for production, run where it is
// meant to run. The commands and the configurations are those of docs/bundlers.md.
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { root, run } from "../../scripts/command.ts";
import { serve } from "../conformance/server.ts";
import { pack } from "./tarball.ts";

const project = mkdtempSync(join(tmpdir(), "ruminate-bundlers-"));
const docs = readFileSync(join(root, "docs/bundlers.md"), "utf8");

/** What a program's author writes; `say` is given the answer. */
const program = (say: string): string => `import { loadModel } from "ruminate";
const model = await loadModel(undefined, { threads: 2 });
const { text } = await model.chat([{ role: "user", content: "What is 47 + 85?" }]).result();
await model.close();
${say}(text, "by", model.info.engine, model.info.threads);
`;
const page = (script: string): string => `<!doctype html><title>somebody's page</title><body></body>${script}`;

/** The block of code in the docs that has this text. */
function documented(language: "sh" | "js", containing: string): string {
  const blocks = [...docs.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms"))].map(
    ([, code]) => code ?? "",
  );
  const found = blocks.find((code) => code.includes(containing));
  if (found === undefined) throw new Error(`docs/bundlers.md has no ${language} block with ${containing}`);
  return found;
}

const write = (name: string, text: string): void => writeFileSync(join(project, name), text);

/** Runs commands as a shell does; they have to succeed. */
async function shell(commands: string): Promise<void> {
  const { code, output } = await run(["sh", "-ec", commands], { cwd: project, timeoutMs: 110_000 });
  if (code !== 0) throw new Error(`${commands}\nfailed: ${output}`);
}

let browser: Browser;

beforeAll(async () => {
  const tarball = await pack(project);
  write("package.json", '{ "name": "somebody", "private": true, "type": "module" }\n');
  await shell(`npm install --offline --no-audit --no-fund ${tarball.path}`);
  for (const name of ["esbuild", "vite", "webpack"]) {
    symlinkSync(join(root, "node_modules", name), join(project, "node_modules", name));
  }
  for (const name of ["esbuild", "vite"]) {
    symlinkSync(join(root, "node_modules/.bin", name), join(project, "node_modules/.bin", name));
  }
  write("index.html", page('<script type="module" src="main.js"></script>'));
  browser = await chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu"],
  });
});
afterAll(async () => {
  await browser?.close();
  rmSync(project, { recursive: true, force: true });
});

interface Visit {
  readonly text: string;
  /** How many of the engine's modules were fetched. */
  readonly modules: number;
}

/** What a page comes to; its first uncaught error fails the test. */
async function visit(url: string): Promise<Visit> {
  const tab = await browser.newPage();
  try {
    const modules = new Set<string>();
    tab.on("request", (request) => {
      if (request.url().endsWith(".wasm")) modules.add(request.url());
    });
    const failed = new Promise<never>((_, reject) => tab.on("pageerror", reject));
    // Waited for below; until then it is nobody's error.
    failed.catch(() => undefined);
    await tab.goto(url);
    await Promise.race([failed, tab.locator("body", { hasText: "by" }).waitFor({ timeout: 60_000 })]);
    return { text: await tab.locator("body").innerText(), modules: modules.size };
  } finally {
    await tab.close();
  }
}

/** What a bundler wrote is all that the server has. */
async function expectAnswers(folder: string): Promise<void> {
  await using site = await serve(pathToFileURL(`${join(project, folder)}/`));
  expect(await visit(`${site.origin}/isolated/index.html`)).toEqual({ text: "132byllama2", modules: 1 });
  expect(await visit(`${site.origin}/plain/index.html`)).toEqual({ text: "132byllama1", modules: 1 });
}

describe("a page that uses the installed package", () => {
  beforeEach(() => write("main.js", program("document.body.append")));

  test("built by Vite answers, with threads and without", async () => {
    // In a folder of the server, not at its root.
    await shell(`${documented("sh", "vite build").trim()} --base ./ --outDir vite`);
    await expectAnswers("vite");
  });

  test("built by webpack answers, with threads and without", async () => {
    write("webpack.config.js", documented("js", "webpack.config.js"));
    // As webpack's command line does, which is a package of its own.
    write(
      "build.js",
      `import webpack from "webpack";
import config from "./webpack.config.js";
webpack(config, (error, stats) => {
  if (error) throw error;
  if (stats.hasErrors()) throw new Error(stats.toString());
});
`,
    );
    await shell("node build.js");
    writeFileSync(join(project, "dist/index.html"), page('<script src="main.js"></script>'));
    await expectAnswers("dist");
  });

  test("from Vite's dev server answers", async () => {
    write("vite.config.js", documented("js", "vite.config.js"));
    const { createServer } = await import("vite");
    const server = await createServer({ root: project, logLevel: "error", server: { host: "127.0.0.1", port: 0 } });
    try {
      await server.listen();
      expect(await visit(server.resolvedUrls?.local[0] ?? "")).toMatchObject({ text: "132byllama2" });
    } finally {
      await server.close();
    }
  });

  test("built by esbuild answers, with threads and without", async () => {
    await shell(documented("sh", "--outdir=site/dist"));
    writeFileSync(join(project, "site/index.html"), page('<script type="module" src="dist/main.js"></script>'));
    await expectAnswers("site");
  });
});

describe("a program for Node that esbuild made", () => {
  beforeEach(() => write("main.js", program("console.log")));

  test("answers where there is no node_modules", async () => {
    await shell(documented("sh", "--platform=node"));
    const elsewhere = mkdtempSync(join(tmpdir(), "ruminate-bundled-"));
    try {
      await shell(`mv server ${elsewhere}`);
      const { stdout, output } = await run(["node", join(elsewhere, "server/dist/main.mjs")], { cwd: elsewhere });
      expect({ stdout, output }).toEqual({ stdout: "132 by llama 2\n", output: "132 by llama 2\n" });
    } finally {
      rmSync(elsewhere, { recursive: true, force: true });
    }
  });

  test("answers with the package left outside", async () => {
    expect(docs).toContain("--external:ruminate");
    await shell(
      "npx esbuild main.js --bundle --minify --platform=node --format=esm --external:ruminate --outfile=outside.js",
    );
    const { stdout } = await run(["node", "outside.js"], { cwd: project });
    expect(stdout).toBe("132 by llama 2\n");
  });
});
