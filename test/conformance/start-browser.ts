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

/**
 * Opens an address in a browser without a window.
 *
 * @param onLine Takes what the page writes to its console, and the errors that it leaves uncaught.
 * @throws {Error} if the browser is not installed, saying how to get it
 */
export async function openPage(
  runtime: keyof typeof executables,
  url: string,
  onLine: (line: string) => void,
): Promise<OpenPage> {
  const { path, debian } = executables[runtime];
  if (!existsSync(path)) {
    const variable = runtime.toUpperCase();
    throw new Error(
      `Cannot run ${runtime}: ${path} is not there; install it with "apt-get install ${debian}", or name another in ${variable}`,
    );
  }
  return runtime === "chromium" ? openChromium(path, url, onLine) : openFirefox(path, url, onLine);
}

async function openChromium(executablePath: string, url: string, onLine: (line: string) => void): Promise<OpenPage> {
  const browser = await chromium.launch({ executablePath, args: chromiumFlags, headless: true });
  try {
    const page = await browser.newPage();
    page.on("console", (message) => onLine(message.text()));
    page.on("pageerror", (error) => onLine(`uncaught: ${error.stack ?? error.message}`));
    page.on("crash", () => onLine("the page crashed"));
    browser.on("disconnected", () => onLine("the page crashed"));
    await page.goto(url);
    return { version: browser.version(), [Symbol.asyncDispose]: () => browser.close() };
  } catch (error) {
    await browser.close();
    throw error;
  }
}

async function openFirefox(executablePath: string, url: string, onLine: (line: string) => void): Promise<OpenPage> {
  const browser = await launch({ browser: "firefox", protocol: "webDriverBiDi", executablePath, headless: true });
  try {
    const page = await browser.newPage();
    page.on("console", (message) => onLine(message.text()));
    page.on("pageerror", (error) => onLine(`uncaught: ${String(error)}`));
    browser.on("disconnected", () => onLine("the page crashed"));
    await page.goto(url);
    return {
      version: await browser.version(),
      async [Symbol.asyncDispose]() {
        await Promise.race([browser.close(), new Promise((resolve) => setTimeout(resolve, 5000))]);
        browser.process()?.kill("SIGKILL");
      },
    };
  } catch (error) {
    await browser.close();
    throw error;
  }
}
