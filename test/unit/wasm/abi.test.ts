import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import {
  abiVersion,
  cancelledStatus,
  contextOptionsLayout,
  modelInfoLayout,
  samplingLayout,
  signatures,
  statusCodes,
  tensorLayout,
} from "../../../src/wasm/abi.ts";
import { enumerationOf, fieldsOf, prototypes } from "./c-header.ts";
import { moduleBytes, variants } from "./modules.ts";

const glue = new URL("../../../wasm/glue/", import.meta.url);
const header = await readFile(new URL("api.h", glue), "utf8");
const exported = (await readFile(new URL("../exports.txt", glue), "utf8")).split("\n").filter(Boolean);

/** Of C's library, so that api.h does not declare them. */
const fromLibrary = ["malloc", "free"];

test("signatures: the names are those of exports.txt", () => {
  expect(Object.keys(signatures).toSorted()).toEqual(exported.toSorted());
});

test.each([...variants])("signatures: %s exports every name", async (_, variant) => {
  const module = await WebAssembly.compile(await moduleBytes(variant));
  const functions = WebAssembly.Module.exports(module).filter(({ kind }) => kind === "function");
  expect(functions.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(signatures)));
});

test("signatures: arguments and results are those of api.h", () => {
  const ours = Object.entries(signatures).filter(([name]) => !fromLibrary.includes(name));
  const declared = prototypes(header);
  expect(declared.size).toBe(ours.length);
  for (const [name, [takes, returns]] of ours) {
    // In C, a status is a 32-bit number like others.
    expect([name, declared.get(name)]).toEqual([name, { takes, returns: returns === "s" ? "i" : returns }]);
  }
});

test.each([
  ["ruminate_tensor", tensorLayout],
  ["ruminate_model_info", modelInfoLayout],
  ["ruminate_context_options", contextOptionsLayout],
  ["ruminate_sampling", samplingLayout],
])("layouts: %s has the fields of api.h, in their order", (structure, layout) => {
  expect(Object.entries(layout)).toEqual(fieldsOf(header, structure));
});

test("layouts: every structure of api.h with fields has one", () => {
  const structures = Array.from(header.matchAll(/^struct (\w+) \{/gm), ([, name]) => name);
  expect(structures).toHaveLength(4);
});

test("statusCodes: every status of api.h that is an error has a code", () => {
  const { RUMINATE_OK, RUMINATE_CANCELLED, ...errors } = Object.fromEntries(enumerationOf(header, "ruminate_status"));
  expect(RUMINATE_OK).toBe(0);
  expect(RUMINATE_CANCELLED).toBe(cancelledStatus);
  expect(Object.keys(statusCodes).map(Number)).toEqual(Object.values(errors).toSorted((a, b) => a - b));
});

test("abiVersion: it is what the C side returns", async () => {
  const source = await readFile(new URL("status.cpp", glue), "utf8");
  const returned = /ruminate_abi_version\(void\) \{\s*return (\d+);/.exec(source)?.[1];
  expect(Number(returned)).toBe(abiVersion);
});
