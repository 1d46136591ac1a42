import { expect, test } from "vitest";
import { ReadProgress } from "../../../src/engine/read-progress.ts";

const mebibyte = 2 ** 20;

test("ReadProgress counts what is read twice once, in any order, and tells of all bytes only at the end", () => {
  const told: number[] = [];
  const progress = new ReadProgress([3 * mebibyte, 100], (loaded, total) => {
    expect(total).toBe(3 * mebibyte + 100);
    told.push(loaded);
  });
  progress.add(0, 2 * mebibyte, 3 * mebibyte);
  progress.add(0, 0, 10);
  progress.add(0, 5, mebibyte);
  progress.add(1, 0, 100);
  progress.add(0, 0, 3 * mebibyte);
  progress.end();
  expect(told).toEqual([mebibyte, 2 * mebibyte, 2 * mebibyte + 100, 3 * mebibyte + 100]);
});

test("ReadProgress needs nobody to listen", () => {
  const progress = new ReadProgress([10], undefined);
  progress.add(0, 0, 10);
  progress.end();
});
