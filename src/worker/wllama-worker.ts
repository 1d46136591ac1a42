// The worker that wllama runs in. Outside browsers the same file also serves as the workers that wllama itself starts:
// the first message tells which of the two it is to be.
import type { WllamaRequest } from "../engine/wllama.ts";
import type { ToWorker } from "../engine/protocol.ts";
import { parentThread } from "../platform/worker-threads.ts";
import { parentWebPort } from "../platform/worker-web.ts";
import { isNestedStart, runNested } from "./nested-worker.ts";
import type { NestedStart } from "./nested-worker.ts";

type Message = ToWorker<WllamaRequest> | NestedStart;

const thread = parentThread();
const web = thread ? undefined : parentWebPort();
const port = thread ?? web;

let deliver = async (first: Message): Promise<void> => {
  if (isNestedStart(first)) {
    web?.stop();
    const entry = import.meta.url;
    const dispatch = runNested(first, thread ? { thread, entry } : { entry });
    deliver = async (message) => dispatch(message);
    return;
  }
  // Messages come faster than the library loads.
  const waiting: Message[] = [first];
  deliver = async (message) => void waiting.push(message);
  const { serveWllama } = await import("./serve-wllama.ts");
  const serve = serveWllama(port ?? parentWebPort(), { entry: import.meta.url });
  for (const message of waiting) if (!isNestedStart(message)) serve(message);
  deliver = async (message) => {
    if (!isNestedStart(message)) serve(message);
  };
};

// Only our own client and our own nested workers hold the other end.
port?.listen((message) => void deliver(message as Message));
