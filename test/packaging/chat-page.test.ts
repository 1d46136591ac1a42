// The chat page as somebody uses it: in both browsers, isolated or not, from plain files, from another origin and built by Vite.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { launch } from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../../scripts/command.ts";
import { serve, type StaticServer } from "../conformance/server.ts";

const folder = "examples/browser-chat";
const axe = readFileSync(join(root, "node_modules/axe-core/axe.min.js"), "utf8");
const shots = join(root, ".cache", "chat-page");
const built = mkdtempSync(join(tmpdir(), "ruminate-vite-"));

/** The little of a page that both drivers have. */
interface Tab {
  goto(url: string): Promise<unknown>;
  /** Runs a script's text in the page. */
  evaluate(script: string): Promise<unknown>;
  type(text: string): Promise<unknown>;
  press(key: "Enter" | "Escape" | "Tab"): Promise<unknown>;
  screenshot(path: string): Promise<unknown>;
  close(): Promise<unknown>;
}

async function openChromium(isDark: boolean): Promise<Tab> {
  const browser = await chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu"],
  });
  const page = await browser.newPage({ colorScheme: isDark ? "dark" : "light" });
  return {
    goto: (url) => page.goto(url),
    evaluate: (script) => page.evaluate(script),
    type: (text) => page.keyboard.type(text),
    press: (key) => page.keyboard.press(key),
    screenshot: (path) => page.screenshot({ path }),
    close: () => browser.close(),
  };
}

async function openFirefox(isDark: boolean): Promise<Tab> {
  const browser = await launch({
    browser: "firefox",
    protocol: "webDriverBiDi",
    executablePath: process.env["FIREFOX"] ?? "/usr/bin/firefox-esr",
    headless: true,
    extraPrefsFirefox: { "ui.systemUsesDarkTheme": isDark ? 1 : 0 },
  });
  const page = await browser.newPage();
  return {
    goto: (url) => page.goto(url),
    evaluate: (script) => page.evaluate(script),
    type: (text) => page.keyboard.type(text),
    press: (key) => page.keyboard.press(key),
    screenshot: (path) => page.screenshot({ path: path as `${string}.png` }),
    async close() {
      await Promise.race([browser.close(), new Promise((resolve) => setTimeout(resolve, 5000))]);
      browser.process()?.kill("SIGKILL");
    },
  };
}

/** Waits until an expression is true in the page. */
async function until(tab: Tab, expression: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  while ((await tab.evaluate(`Boolean(${expression})`)) !== true) {
    if (Date.now() > deadline) {
      const body = await tab.evaluate("document.body.innerText");
      throw new Error(`It never came to ${expression}; the page says:\n${String(body)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const click = (tab: Tab, selector: string): Promise<unknown> =>
  tab.evaluate(`document.querySelector(${JSON.stringify(selector)}).click()`);
const text = (selector: string): string => `document.querySelector(${JSON.stringify(selector)})?.textContent`;
const ready = '!document.querySelector("#composer").hidden && !document.querySelector("#send").disabled';

/** Everything that axe finds wrong, in words. */
async function violations(tab: Tab): Promise<unknown> {
  await tab.evaluate(axe);
  return tab.evaluate(
    "axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`)))",
  );
}

let site: StaticServer;
let cdn: StaticServer;
let other: StaticServer;

beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  const { build } = await import("vite");
  await build({
    root: join(root, folder),
    configFile: join(root, folder, "vite.config.js"),
    logLevel: "error",
    build: { outDir: built, emptyOutDir: true },
  });
  const files = pathToFileURL(`${root}/`);
  cdn = await serve(files);
  const page = readFileSync(join(root, folder, "index.html"), "utf8").replace("../../dist/", `${cdn.origin}/dist/`);
  site = await serve(files, {
    [`/${folder}/cdn.html`]: (_, response) => void response.setHeader("content-type", "text/html").end(page),
  });
  other = await serve(pathToFileURL(`${built}/`));
}, 120_000);
afterAll(async () => {
  for (const server of [site, cdn, other]) await server?.[Symbol.asyncDispose]();
  rmSync(built, { recursive: true, force: true });
});

describe.each([
  ["Chromium", openChromium],
  ["Firefox", openFirefox],
] as const)("the chat page in %s", (name, open) => {
  test.each([
    ["plain files, isolated, light", () => `${site.origin}/isolated/${folder}/index.html`, false],
    ["plain files, not isolated, dark", () => `${site.origin}/plain/${folder}/index.html`, true],
    ["the package from another origin", () => `${site.origin}/isolated/${folder}/cdn.html`, false],
    ["built by Vite", () => `${other.origin}/isolated/index.html`, false],
  ] as const)(
    "talks, edits, stops and remembers: %s",
    async (what, url, isDark) => {
      const tab = await open(isDark);
      const shoot = (step: string): Promise<unknown> =>
        tab.screenshot(join(shots, `${name}-${what}-${step}.png`.replaceAll(/[ ,]+/g, "-")));
      try {
        await tab.goto(url());
        await until(tab, 'document.querySelector("#abilities li")');
        expect(await violations(tab)).toEqual([]);
        await shoot("start");
        await click(tab, "#bundled");
        await until(tab, ready);
        expect(await tab.evaluate(text("#status"))).toMatch(url().includes("plain") ? /1 thread,/ : /\d threads?,/);
        await tab.type("What is 47 + 85?");
        await tab.press("Enter");
        await until(tab, `/tokens\\/s/.test(${text(".stats")})`);
        expect(await tab.evaluate(text(".assistant .text"))).toBe("132");
        expect(await tab.evaluate(text(".thoughts"))).toContain("47+85");
        expect(await tab.evaluate('document.querySelector("details.thinking").open')).toBe(false);
        await click(tab, "#host summary");
        expect(await violations(tab)).toEqual([]);
        await shoot("answer");
        // Another question in the first one's place, under a budget.
        await tab.evaluate('document.querySelector("#budget").value = 0; document.querySelector("#budget").oninput()');
        await click(tab, ".user .tools button");
        await tab.evaluate('document.querySelector(".user textarea").value = "What is 12 + 30?"');
        await click(tab, ".user form button");
        await until(tab, `${ready} && document.querySelectorAll(".stats").length === 1`);
        expect(await tab.evaluate(text(".user .text"))).toBe("What is 12 + 30?");
        expect(await tab.evaluate(text(".stats"))).toContain("0 thought");
        expect(await tab.evaluate('document.querySelectorAll("#messages li").length')).toBe(2);
        // The conversation is there again; the model is not.
        await until(tab, 'document.querySelector("#status").textContent === "Ready"');
        await tab.goto(url());
        await until(tab, `${text(".user .text")} === "What is 12 + 30?"`);
        await shoot("again");
      } finally {
        await tab.close();
      }
    },
    150_000,
  );
});
