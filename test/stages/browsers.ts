import { existsSync } from "node:fs";
import { run } from "../../scripts/command.ts";
import { nodePackage, oldestNode, programPath } from "../conformance/start-process.ts";
import type { Stage } from "./stage.ts";

const browsers = [
  {
    name: "Chromium",
    program: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    package: "chromium",
    version: /\bChromium \d/,
  },
  {
    name: "Firefox",
    program: process.env["FIREFOX"] ?? "/usr/bin/firefox-esr",
    package: "firefox-esr",
    version: /\bFirefox \d/,
  },
];

/** Makes sure that every runtime of the conformance table is there: one that is missing is a failure, never a skip. */
export const browsersStage: Stage = {
  name: "runtimes",
  what: "Node 24 and 22, Deno, Bun, workerd, Chromium and Firefox are there; Node 22 and, on Debian as root, browsers are installed",
  async run() {
    const missing = browsers.filter(({ program }) => !existsSync(program));
    if (missing.length > 0) await install(missing.map((browser) => browser.package));
    if (!existsSync(programPath("node 22"))) await installOldNode();
    let failed = 0;
    let passed = 0;
    const wanted: { name: string; command: [string, ...string[]]; version: RegExp }[] = [
      { name: "Node", command: ["node", "--version"], version: /^v24\./ },
      {
        name: "Node 22",
        command: [programPath("node 22"), "--version"],
        version: new RegExp(`^v${oldestNode.version}$`),
      },
      { name: "Deno", command: ["deno", "--version"], version: /^deno \d/ },
      { name: "Bun", command: ["bun", "--version"], version: /^\d/ },
      { name: "workerd", command: ["workerd", "--version"], version: /^workerd \d/ },
    ];
    for (const { name, program, version } of browsers) wanted.push({ name, command: [program, "--version"], version });
    for (const { name, command, version } of wanted) {
      const { code, output } = await run(command, { timeoutMs: 60_000 });
      const lines = output.split("\n").map((line) => line.trim());
      const found = lines.find((line) => version.test(line));
      const good = code === 0 && found !== undefined;
      if (good) passed++;
      else failed++;
      console.log(
        good ? `ok    ${name.padEnd(9)} ${found}` : `FAIL  ${name}: ${command.join(" ")} said: ${output.trim()}`,
      );
    }
    return { passed, failed };
  },
};

async function installOldNode(): Promise<void> {
  const { version, folder } = oldestNode;
  console.log(`Installing Node ${version} into ${folder}`);
  const { code, output } = await run(
    ["npm", "install", "--no-audit", "--no-fund", "--prefix", folder, `${nodePackage}@${version}`],
    { timeoutMs: 300_000 },
  );
  if (code !== 0) console.log(`npm install failed with ${code}:\n${output}`);
}

async function install(packages: readonly string[]): Promise<void> {
  const wanted = packages.join(" ");
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) {
    console.log(
      `Cannot install ${wanted}: that needs root on Debian. Install them, or name them in CHROMIUM and FIREFOX`,
    );
    return;
  }
  console.log(`Installing ${wanted} with apt-get`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const commands: [string, ...string[]][] = [
    ["apt-get", "update"],
    ["apt-get", "install", "-y", "--no-install-recommends", ...packages],
  ];
  for (const command of commands) {
    const { code, output } = await run(command, { env, timeoutMs: 900_000 });
    if (code !== 0) console.log(`${command.join(" ")} failed with ${code}:\n${output}`);
  }
}
