import { pathToFileURL } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, test } from "vitest";
import { root } from "../../scripts/command.ts";
import { serve, type StaticServer } from "../conformance/server.ts";

// The plain files of the package in a page, without a bundler: from the page's own server, and as from a CDN.
let browser: Browser;
let cdn: StaticServer;
let site: StaticServer;

const page = (cdnOrigin: string): string => `<!doctype html><title>somebody's page</title><script type="module">
import { loadModel } from "${cdnOrigin}/dist/index.js";
const model = await loadModel();
const { text } = await model.chat([{ role: "user", content: "What is 47 + 85?" }]).result();
await model.close();
document.body.textContent = text;
</script>`;

beforeAll(async () => {
  cdn = await serve(pathToFileURL(`${root}/`));
  site = await serve(pathToFileURL(`${root}/`), {
    "/page.html": (_, response) => void response.setHeader("content-type", "text/html").end(page(cdn.origin)),
  });
  browser = await chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu"],
  });
});
afterAll(async () => {
  await browser?.close();
  await site?.[Symbol.asyncDispose]();
  await cdn?.[Symbol.asyncDispose]();
});

/** A page that fails the test at the first error that it leaves uncaught. */
async function open(
  url: string,
): Promise<{ waitFor(selector: string, text: string): Promise<void>; ask(): Promise<void> }> {
  const tab = await browser.newPage();
  const failed = new Promise<never>((_, reject) => tab.on("pageerror", reject));
  // Waited for below; until then it is nobody's error.
  failed.catch(() => undefined);
  await tab.goto(url);
  return {
    async waitFor(selector, text) {
      await Promise.race([failed, tab.locator(selector, { hasText: text }).waitFor({ timeout: 100_000 })]);
    },
    ask: () => Promise.race([failed, tab.locator("button:enabled").click({ timeout: 100_000 })]),
  };
}

test("examples/browser thinks and answers, served by its own origin", async () => {
  const tab = await open(`${site.origin}/examples/browser/index.html`);
  await tab.ask();
  await tab.waitFor("#thoughts", "47");
  await tab.waitFor("#answer", "132");
});

test.each(["plain", "isolated"])("dist answers in a page of another origin (%s)", async (mode) => {
  const tab = await open(`${site.origin}/${mode}/page.html`);
  await tab.waitFor("body", "132");
});
