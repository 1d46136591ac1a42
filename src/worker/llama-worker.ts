// The worker of our own engine. The same file serves as the threads that compute beside it: the first message tells which.
import { serveEngine } from "../engine/host.ts";
import { loadLlama } from "../engine/llama.ts";
import type { ComputeReady, ComputeStart } from "../engine/llama-workers.ts";
import type { ToWorker } from "../engine/protocol.ts";
import type { LlamaWorkerRequest } from "../engine/start-llama.ts";
import { parentThread } from "../platform/worker-threads.ts";
import { parentWebPort } from "../platform/worker-web.ts";
import { createMemory } from "../wasm/memory.ts";
import { WasmModule } from "../wasm/module.ts";
import { compute, ThreadSlots } from "../wasm/thread-slots.ts";

type Message = ComputeStart | ToWorker<LlamaWorkerRequest>;

const port = parentThread() ?? parentWebPort();
const ready: ComputeReady = { type: "ready" };

const serve = serveEngine<LlamaWorkerRequest>(port, async (request, host) => {
  const { module, bits, shared, info } = request;
  const slots = shared && new ThreadSlots(shared.slots, shared.threads - 1);
  const started = await WasmModule.start({
    module,
    bits,
    memory: shared?.memory ?? createMemory({ bits, shared: false }),
    ...(slots ? { slots } : {}),
  });
  slots?.setCancelFlag(started.call("ruminate_cancel_flag"));
  return loadLlama(request, host, { module: started, info });
});

port.listen((data) => {
  // Only our own client holds the other end.
  const message = data as Message;
  if (message.type !== "compute") return serve(message);
  const { module, memory, bits, slot } = message;
  const slots = new ThreadSlots(message.slots);
  void compute({ module, memory, bits, slots, slot }, () => port.post(ready));
});
