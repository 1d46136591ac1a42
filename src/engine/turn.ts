/** Time that a thread may compute before it lets messages in, in milliseconds: a stop is heard as soon. */
const sliceMs = 16;

/** Gives the thread's event loop a turn now and then. */
export class TurnTaker {
  #since: number = performance.now();

  /** Lets messages in, if they have waited for long. */
  async maybe(): Promise<void> {
    if (performance.now() - this.#since >= sliceMs) await this.now();
  }

  async now(): Promise<void> {
    await nextTask();
    this.#since = performance.now();
  }
}

/** The end of the event loop's present task; a timer would wait for some milliseconds in browsers. */
function nextTask(): Promise<void> {
  const { setImmediate }: { setImmediate?: (run: () => void) => void } = globalThis as object;
  if (setImmediate) return new Promise((resolve) => setImmediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port2.onmessage = () => {
      port2.close();
      resolve();
    };
    port1.postMessage(undefined);
  });
}
