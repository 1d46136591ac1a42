import { expect, test } from "vitest";
import { memoryTable, shownMemoryTable } from "../../scripts/memory-table.ts";

test("the memory guide's table is what the estimate says (node scripts/memory-table.ts --write puts it there)", () => {
  expect(shownMemoryTable()).toBe(memoryTable());
});
