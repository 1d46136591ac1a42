import { existsSync } from "node:fs";

import { chromium } from "playwright-core";
import { launch } from "puppeteer-core";

const executables = {
  chromium: { path: process.env["CHROMIUM"] ?? "/usr/bin/chromium", debian: "chromium" },
  firefox: { path: process.env["FIREFOX"] ?? "/usr/bin/firefox-esr", debian: "firefox-esr" },
} as const;

const chromiumFlags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A page that was opened, until it is closed with its browser. */
export interface OpenPage extends AsyncDisposable {
  readonly version: string;
}

/** A browser without a window. */
export interface StartedBrowser extends AsyncDisposable {
  readonly version: string;
  /**
   * Opens an address in a page of its own.
   *
   * @param onLine Takes what the page writes to its console, and the errors that it leaves uncaught.
   */
  open(url: string, onLine: (line: string) => void): Promise<AsyncDisposable>;
}

/**
 * Opens an address in a browser of its own.
 *
 * @param onLine Takes what the page writes to its console, and the errors that it leaves uncaught.
 * @throws {Error} if the browser is not installed, saying how to get it
 */
export async function openPage(
  runtime: keyof typeof executables,
  url: string,
  onLine: (line: string) => void,
): Promise<OpenPage> {
  const browser = await startBrowser(runtime);
  try {
    await browser.open(url, onLine);
    return browser;
  } catch (error) {
    await browser[Symbol.asyncDispose]();
    throw error;
  }
}

/** @throws {Error} if the browser is not installed, saying how to get it */
export async function startBrowser(runtime: keyof typeof executables): Promise<StartedBrowser> {
  const { path, debian } = executables[runtime];
  if (!existsSync(path)) {
    const variable = runtime.toUpperCase();
    throw new Error(
      `Cannot run ${runtime}: ${path} is not there; install it with "apt-get install ${debian}", or name another in ${variable}`,
    );
  }
  return runtime === "chromium" ? startChromium(path) : startFirefox(path);
}

async function startChromium(executablePath: string): Promise<StartedBrowser> {
  const browser = await chromium.launch({ executablePath, args: chromiumFlags, headless: true });
  return {
    version: browser.version(),
    async open(url, onLine) {
      const page = await browser.newPage();
      page.on("console", (message) => onLine(message.text()));
      page.on("pageerror", (error) => onLine(`uncaught: ${error.stack ?? error.message}`));
      page.on("crash", () => onLine("the page crashed"));
      browser.on("disconnected", () => onLine("the page crashed"));
      await page.goto(url);
      return { [Symbol.asyncDispose]: () => page.close() };
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
}

async function startFirefox(executablePath: string): Promise<StartedBrowser> {
  const browser = await launch({ browser: "firefox", protocol: "webDriverBiDi", executablePath, headless: true });
  return {
    version: await browser.version(),
    async open(url, onLine) {
      const page = await browser.newPage();
      page.on("console", (message) => onLine(message.text()));
      page.on("pageerror", (error) => onLine(`uncaught: ${String(error)}`));
      browser.on("disconnected", () => onLine("the page crashed"));
      await page.goto(url);
      return { [Symbol.asyncDispose]: () => page.close() };
    },
    async [Symbol.asyncDispose]() {
      await Promise.race([browser.close(), new Promise((resolve) => setTimeout(resolve, 5000))]);
      browser.process()?.kill("SIGKILL");
    },
  };
}
