// The pure helpers: strings and data in, data out, for any model on any server.   node examples/node/helpers.ts
import { recommendedSampling } from "ruminate";
import { forceThinking, pruneHistory, ReasoningStream, splitReasoning } from "ruminate/reasoning";

console.log(splitReasoning("2 + 2 is 4\n</think>\nFour."));
console.log(JSON.stringify(forceThinking("<|user|>\nWhat is 2 + 2?<|assistant|>\n<think>")));
console.log(pruneHistory([{ role: "assistant", content: "<think>\n2 + 2\n</think>\nFour." }]));
console.log(recommendedSampling(new Map([["general.name", "GLM-Z1-9B-0414"]])));

const output = new ReadableStream<string>({
  start(controller) {
    for (const piece of ["<thi", "nk>\n2 + 2 is", " 4\n</th", "ink>\nFour."]) controller.enqueue(piece);
    controller.close();
  },
});
for await (const part of output.pipeThrough(new ReasoningStream())) console.log(part);
