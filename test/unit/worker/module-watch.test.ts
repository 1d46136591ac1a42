import { describe, expect, test } from "vitest";
import { ModuleWatch } from "../../../src/worker/module-watch.ts";

function setUp(): { watch: ModuleWatch; lost: string[]; resent: unknown[]; take: (message: unknown) => boolean } {
  const lost: string[] = [];
  const resent: unknown[] = [];
  const watch = new ModuleWatch();
  watch.observe({ active: () => undefined, crashed: (what) => lost.push(what) });
  return { watch, lost, resent, take: (message) => watch.take(message, (again) => resent.push(again)) };
}
const abort = (...args: unknown[]): unknown => ({ verb: "signal.abort", args });
const poll = { verb: "wllama.action", args: ["get_result", new Uint8Array(4)], callbackId: 7 };
const emptyResult = abort("exception", "Invalid typed array length", "", new RangeError("Invalid typed array length"));

describe("ModuleWatch.take()", () => {
  test("leaves results to wllama", () => {
    const { take, lost } = setUp();
    expect(take({ callbackId: 1, result: null })).toBe(false);
    expect(take(undefined)).toBe(false);
    expect(lost).toEqual([]);
  });

  test.each([
    ["an abort", abort("abort", "OOM", "", null), "OOM"],
    ["an abort whose message is no string", abort("abort", new Error("odd"), "", null), "odd"],
    ["a trap", abort("exception", "unreachable", "", new WebAssembly.RuntimeError("unreachable")), "unreachable"],
    [
      "a stack that overflowed",
      abort("exception", "Maximum call stack size exceeded", "", new RangeError()),
      "Maximum call stack size exceeded",
    ],
  ])("takes %s for a loss", (_, message, what) => {
    const { take, lost } = setUp();
    expect(take(message)).toBe(true);
    expect(lost).toEqual([what]);
  });

  test("leaves a C++ exception to wllama", () => {
    const { watch, take, lost, resent } = setUp();
    watch.sent(poll);
    take({ verb: "console.error", args: ["[json.exception.type_error.302] type must be string"] });
    expect(take(emptyResult)).toBe(false);
    expect(lost).toEqual([]);
    expect(resent).toEqual([]);
  });

  test("asks for the next step when one can't be written as JSON", () => {
    const { watch, take, lost, resent } = setUp();
    watch.sent(poll);
    take({ verb: "console.error", args: ["[json.exception.type_error.316] invalid UTF-8 byte at index 1: 0x67"] });
    expect(take(emptyResult)).toBe(true);
    expect(resent).toEqual([poll]);
    expect(lost).toEqual([]);
  });
});
