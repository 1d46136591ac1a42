// What the guides say of pages, in Chromium and in Firefox: the headers of the deployment guide, and the pages of any guide.
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../../scripts/command.ts";
import { serve, type StaticServer } from "../conformance/server.ts";
import { startBrowser, type StartedBrowser } from "../conformance/start-browser.ts";
import { blocksOf, pages, placeOf } from "./blocks.ts";

type Browser = "chromium" | "firefox";
/** What a page tells. */
interface Told {
  readonly text?: string;
  readonly threads?: number;
  readonly isIsolated?: boolean;
  readonly error?: string;
}

const browsers: readonly Browser[] = ["chromium", "firefox"];
const folder = pathToFileURL(`${root}/`);
const started = new AsyncDisposableStack();
const running = new Map<Browser, StartedBrowser>();
let cdn: StaticServer;
beforeAll(async () => {
  cdn = started.use(await serve(folder));
  for (const browser of browsers) running.set(browser, started.use(await startBrowser(browser)));
});
afterAll(() => started.disposeAsync());

function open(browser: Browser, url: string, onLine: (line: string) => void): Promise<AsyncDisposable> {
  const one = running.get(browser);
  if (!one) throw new Error(`${browser} was not started`);
  return one.open(url, onLine);
}

const guide = blocksOf("docs/deployment.md");
/** The headers of a section of the deployment guide. */
function headersOf(section: string): Record<string, string> {
  const block = guide.find(({ language, heading }) => language === "http" && heading === section);
  if (!block) throw new Error(`docs/deployment.md has no block of headers under "${section}"`);
  const lines = block.code.replaceAll("https://cdn.example", cdn.origin).split("\n");
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
}

const app = (
  origin: string,
  options = "{ threads: 2 }",
): string => `import { loadModel } from "${origin}/dist/index.js";
const tell = (told) => console.log("told " + JSON.stringify(told));
try {
  const model = await loadModel(undefined, ${options});
  const { text } = await model.chat([{ role: "user", content: "What is 47 + 85?" }]).result();
  tell({ text, threads: model.info.threads, isIsolated: crossOriginIsolated });
} catch (error) {
  tell({ error: error.code + ": " + error.message });
}`;

/** Opens a page whose every file comes with these headers, and waits for what its script tells. */
async function ask(browser: Browser, headers: Record<string, string>, script: string): Promise<Told> {
  await using site = await serve(
    folder,
    {
      "/page.html": (_, response) =>
        void response.setHeader("content-type", "text/html").end('<script type="module" src="/app.js"></script>'),
      "/app.js": (_, response) => void response.setHeader("content-type", "text/javascript").end(script),
    },
    headers,
  );
  const { promise, resolve } = Promise.withResolvers<Told>();
  await using _page = await open(browser, `${site.origin}/page.html`, (line) => {
    if (line.startsWith("told ")) resolve(JSON.parse(line.slice("told ".length)) as Told);
    if (line === "the page crashed") resolve({ error: line });
  });
  return await promise;
}

interface Claim {
  readonly section: string;
  readonly threads: Readonly<Record<Browser, number>>;
  /** Whether the package comes from another origin. */
  readonly fromCdn?: boolean;
}
const both = (threads: number): Claim["threads"] => ({ chromium: threads, firefox: threads });
const claims: readonly Claim[] = [
  { section: "COEP require-corp", threads: both(2) },
  { section: "COEP credentialless", threads: both(2) },
  { section: "Document-Isolation-Policy", threads: { chromium: 2, firefox: 1 } },
  { section: "CSP, all from the page's own origin", threads: both(1) },
  { section: "CSP, the package from a CDN", threads: both(1), fromCdn: true },
  { section: "CSP and threads", threads: both(2) },
];

describe("docs/deployment.md", () => {
  test("has a claim for each block of headers", () => {
    const sections = guide.filter(({ language }) => language === "http").map(({ heading }) => heading);
    expect(sections).toEqual(claims.map(({ section }) => section));
  });

  describe.each(browsers)("%s", (browser) => {
    test.each(claims)("runs the bundled model under the headers of: $section", async (claim) => {
      const script = app(claim.fromCdn ? cdn.origin : "");
      const threads = claim.threads[browser];
      const told = await ask(browser, headersOf(claim.section), script);
      expect(told).toEqual({ text: "132", threads, isIsolated: threads > 1 });
    });

    test("runs it without any headers, with one thread", async () => {
      expect(await ask(browser, {}, app(""))).toEqual({ text: "132", threads: 1, isIsolated: false });
    });

    test("starts a worker that the page has made, under trusted types", async () => {
      const worker = `{ wasm: { worker: () => new Worker(policy.createScriptURL("/dist/llama-worker.js"), { type: "module" }) } }`;
      const policy = 'const policy = trustedTypes.createPolicy("ours", { createScriptURL: (url) => url });\n';
      const headers = { "Content-Security-Policy": "require-trusted-types-for 'script'" };
      expect(await ask(browser, headers, policy + app("", worker))).toMatchObject({ text: "132" });
      const told = await ask(browser, headers, app(""));
      expect(told.error).toMatch(
        /^unsupported: Cannot start the engine's worker .*; start it yourself, as wasm\.worker$/,
      );
    });
  });

  test.each([
    ["'wasm-unsafe-eval'", /^unsupported: Cannot use the engine's file /],
    ["worker-src 'self'", /^crashed: .*its worker failed \(its script could not be loaded\)/],
    ["connect-src 'self'", /^network: Cannot fetch /],
  ])("says what goes wrong without %s", async (part, message) => {
    const policy = headersOf("CSP, all from the page's own origin")["Content-Security-Policy"] ?? "";
    expect(policy).toContain(part);
    const missing = part.startsWith("worker") ? "worker-src 'none'" : "";
    const told = await ask("chromium", { "Content-Security-Policy": policy.replace(part, missing) }, app(""));
    expect(told.error).toMatch(message);
  });
});

const html = pages.flatMap((page) => blocksOf(page)).filter(({ language }) => language === "html");
test.each(html.map((block) => [placeOf(block), block.code] as const))("the page at %s answers 132", async (_, code) => {
  const page = code.replaceAll("https://cdn.example/ruminate", cdn.origin);
  // Tells when the answer is there; the page itself is left as it is.
  const watch = `<script>
    const timer = setInterval(() => {
      const text = document.getElementById("answer").textContent;
      if (text !== "132") return;
      clearInterval(timer);
      console.log("told");
    }, 50);
  </script>`;
  await using site = await serve(folder, {
    "/page.html": (_, response) => void response.setHeader("content-type", "text/html").end(page + watch),
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  await using _page = await open("chromium", `${site.origin}/page.html`, (line) => {
    if (line === "told") resolve();
    if (line.startsWith("uncaught")) reject(new Error(line));
  });
  await promise;
});
