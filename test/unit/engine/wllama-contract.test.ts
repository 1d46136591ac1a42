import { contract } from "./contract.ts";
import { nanoContext, startNano, sumPrompt } from "./nano.ts";

contract({
  name: "wllama",
  create: () => startNano(),
  context: nanoContext,
  prompt: sumPrompt,
  controlToken: { text: "<|user|>", id: 1019 },
});
