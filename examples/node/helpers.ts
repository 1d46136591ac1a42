// The pure helpers: strings and data in, data out, for any model on any server.   node examples/node/helpers.ts
import { recommendedSampling } from "ruminate";
import { forceThinking, pruneHistory, ReasoningStream, splitReasoning } from "ruminate/reasoning";

console.log(splitReasoning("2 + 2 is 4\n</think>\nFour."));
console.log(JSON.stringify(forceThinking("<|user|>\nWhat is 2 + 2?<|assistant|>\n<think>")));
console.log(pruneHistory([{ role: "assistant", content: "<think>\n2 + 2\n</think>\nFour." }]));
console.log(recommendedSampling(new Map([["general.name", "GLM-Z1-9B-0414"]])));

const pieces = ReadableStream.from(["<thi", "nk>\n2 + 2 is", " 4\n</th", "ink>\nFour."]);
for await (const part of pieces.pipeThrough(new ReasoningStream())) console.log(part);
