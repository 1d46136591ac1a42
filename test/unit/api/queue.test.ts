import { expect, test } from "vitest";
import { Queue } from "../../../src/api/queue.ts";

test("Queue serves in the order of asking", async () => {
  const queue = new Queue();
  const order: number[] = [];
  const work = async (id: number): Promise<void> => {
    const leave = await queue.enter();
    order.push(id);
    await new Promise((done) => setTimeout(done, 5 - id));
    order.push(id);
    leave();
  };
  await Promise.all([1, 2, 3].map(work));
  expect(order).toEqual([1, 1, 2, 2, 3, 3]);
});

test("Queue gives up the place of an aborted caller and serves the next", async () => {
  const queue = new Queue();
  const leave = await queue.enter();
  const controller = new AbortController();
  const aborted = queue.enter(controller.signal);
  const third = queue.enter();
  controller.abort("why");
  await expect(aborted).rejects.toBe("why");
  leave();
  (await third)();
});

test("Queue refuses a signal that is aborted already, without waiting", async () => {
  const queue = new Queue();
  await queue.enter();
  await expect(queue.enter(AbortSignal.abort("no"))).rejects.toBe("no");
});
