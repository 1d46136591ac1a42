import { createHash, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { InferenceError } from "../../../src/errors.ts";
import { checkBytes, parseIntegrity } from "../../../src/platform/integrity.ts";
import { PortableSha256 } from "../../../src/platform/sha256-portable.ts";
import { createSha256, toHex } from "../../../src/platform/sha256.ts";

// NIST's examples for FIPS 180-4, and its million times "a".
const vectors: readonly (readonly [string, string])[] = [
  ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  [
    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
  ],
  [
    "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
    "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
  ],
  ["a".repeat(1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"],
];

describe("PortableSha256", () => {
  test.each(vectors)("gives NIST's digest of %.20s…", (text, digest) => {
    const hash = new PortableSha256();
    hash.update(new TextEncoder().encode(text));
    expect(toHex(hash.digest())).toBe(digest);
  });

  test("gives the host's digest of every length around a block, in any pieces", () => {
    for (let length = 0; length <= 200; length++) {
      const bytes = randomBytes(length);
      const hash = new PortableSha256();
      for (let at = 0; at < length; at += 7) hash.update(bytes.subarray(at, at + 7));
      expect(toHex(hash.digest()), `${length} bytes`).toBe(createHash("sha256").update(bytes).digest("hex"));
    }
  });
});

test("createSha256() gives the same through node:crypto", () => {
  const hash = createSha256();
  hash.update(new TextEncoder().encode("a"));
  hash.update(new TextEncoder().encode("bc"));
  expect(hash.hex()).toBe(vectors[1]?.[1]);
});

describe("parseIntegrity()", () => {
  const base64 = (name: string): string => `${name}-${createHash(name).update("abc").digest("base64")}`;
  const hex = (name: string): string => createHash(name).update("abc").digest("hex");

  test("reads base64 and hexadecimal", () => {
    expect(parseIntegrity(base64("sha256"), "x")).toEqual({ algorithm: "sha256", digests: [hex("sha256")] });
    expect(parseIntegrity(hex("sha256").toUpperCase(), "x")).toEqual({ algorithm: "sha256", digests: [hex("sha256")] });
  });

  test("takes the strongest of several", () => {
    const wanted = parseIntegrity(`${base64("sha256")} ${base64("sha512")} ${base64("sha384")}`, "x");
    expect(wanted).toEqual({ algorithm: "sha512", digests: [hex("sha512")] });
  });

  test.each(["", "md5-abc", "sha256-", "sha256-YWJj", "abc", 5, null, `${base64("sha256")} nonsense`])(
    "refuses %j",
    (text) => expect(() => parseIntegrity(text, "wasm.integrity")).toThrow(/wasm\.integrity must be a digest/),
  );

  test.each(["sha256", "sha384", "sha512"])("checkBytes() tells bytes that do not fit their %s", async (name) => {
    const wanted = parseIntegrity(base64(name), "x");
    await checkBytes(new TextEncoder().encode("abc"), wanted, "f");
    const error: unknown = await checkBytes(new TextEncoder().encode("abd"), wanted, "f").catch((e: unknown) => e);
    expect(InferenceError.is(error, "integrity")).toBe(true);
  });
});
