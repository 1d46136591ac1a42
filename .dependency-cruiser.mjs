// The arrows of the architecture: each folder of src is one floor, and imports only what stands beside its name here.
// Entries end in "/" for a folder, else they name one file; `types` may be imported by `import type` alone.
const pure = ["src/errors.ts", "src/contract.ts", "src/turns.ts"];
/** For the floors that wait for others. */
const waiting = ["src/waiting.ts", "src/patience.ts"];

/** @type {Record<string, { values?: string[]; types?: string[]; packages?: string[] }>} */
const floors = {
  "src/index.ts": { values: [...pure, "src/api/", "src/rumination/", "src/context/", "src/reasoning/"] },
  "src/workerd.ts": {
    values: [...pure, "src/api/", "src/rumination/", "src/context/", "src/reasoning/", "wasm/dist/"],
    types: ["src/index.ts"],
  },
  "src/wasm-file.d.ts": {},
  "src/openai.ts": { values: ["src/serve/"] },
  "src/cli/": { values: ["src/index.ts", "src/openai.ts"], packages: ["commander"] },
  "src/serve/": { values: ["src/index.ts", "src/waiting.ts"] },
  "src/ai-sdk.ts": { values: ["src/integrations/ai-sdk/"] },
  "src/integrations/": { values: ["src/index.ts"], types: ["node_modules/@ai-sdk/provider/"] },
  "src/api/": {
    values: [
      ...pure,
      ...waiting,
      "src/reasoning/",
      "src/context/",
      "src/prompt/",
      "src/gguf/",
      "src/store/",
      "src/engine/",
      "src/platform/",
    ],
  },
  "src/rumination/": { values: [...pure, "src/api/", "src/context/", "src/prompt/"] },
  "src/reasoning/": { values: pure },
  "src/context/": { values: pure },
  "src/prompt/": { values: pure, packages: ["@huggingface/jinja"] },
  "src/gguf/": { values: [...pure, ...waiting, "src/platform/", "src/store/"], types: ["src/engine/engine.ts"] },
  "src/store/": { values: [...pure, ...waiting, "src/platform/"] },
  "src/engine/": {
    values: [...pure, ...waiting, "src/platform/", "src/wasm/"],
    types: ["src/prompt/segment.ts", "src/gguf/weight-file.ts"],
  },
  "src/worker/": {
    values: [...pure, "src/engine/", "src/platform/", "src/wasm/"],
    packages: ["@wllama/wllama"],
  },
  "src/wasm/": { values: pure, types: ["src/platform/types.ts"] },
  "src/platform/": { values: pure },
  "src/contract.ts": {},
  "src/waiting.ts": {},
  "src/patience.ts": { values: ["src/errors.ts", "src/waiting.ts"] },
  "src/turns.ts": { values: ["src/errors.ts"], types: ["src/contract.ts"] },
  "src/errors.ts": {},
};

const escape = (text) => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");
const pattern = (entry) => `^${escape(entry)}${entry.endsWith("/") ? "" : "$"}`;
const npm = (name) => `^node_modules/${escape(name)}/`;

// A file with an entry of its own has its folder's arrows too, so the folder's rule leaves it out.
const floorRules = Object.entries(floors).map(([floor, own]) => {
  const folder = floor.endsWith("/")
    ? undefined
    : Object.keys(floors).find((k) => k.endsWith("/") && floor.startsWith(k));
  const all = [own, ...(folder === undefined ? [] : [floors[folder]])];
  const inside = folder ?? floor;
  const exceptions = Object.keys(floors).filter((other) => other !== floor && other.startsWith(floor));
  const values = [inside, ...all.flatMap(({ values = [] }) => values)].map(pattern);
  const types = all.flatMap(({ types = [] }) => types).map(pattern);
  const packages = all.flatMap(({ packages = [] }) => packages).map(npm);
  const from = { path: pattern(floor), ...(exceptions.length > 0 && { pathNot: exceptions.map(pattern) }) };
  return [
    {
      name: `${floor} imports only its arrows`,
      severity: "error",
      from,
      to: { pathNot: [...values, ...types, ...packages] },
    },
    ...(types.length > 0
      ? [
          {
            name: `${floor} imports these by type only`,
            severity: "error",
            from,
            to: { path: types, pathNot: values, dependencyTypesNot: ["type-only"] },
          },
        ]
      : []),
  ];
});

const known = Object.keys(floors);

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    ...floorRules.flat(),
    { name: "no cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "no host module by import: use builtinModule()",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "everything resolves",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: "every file stands on a floor: name its folder in .dependency-cruiser.mjs",
      severity: "error",
      from: { path: "^src/", pathNot: known.map(pattern) },
      to: {},
    },
    {
      name: "every file stands on a floor (imported)",
      severity: "error",
      from: {},
      to: { path: "^src/", pathNot: known.map(pattern) },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["types", "import", "default"] },
  },
};
