// Greedy answers of native llama.cpp (node-llama-cpp) with the model's own chat template.
import { Template } from "@huggingface/jinja";
import { getLlama, LlamaLogLevel } from "node-llama-cpp";

/**
 * Loads a model for greedy generation on one thread.
 * @param {string} modelPath
 * @param {{ contextSize?: number, sequences?: number }} [options]
 */
export async function openModel(modelPath, { contextSize = 768, sequences = 1 } = {}) {
  const llama = await getLlama({ gpu: false, build: "never", logLevel: LlamaLogLevel.error, maxThreads: 1 });
  const model = await llama.loadModel({ modelPath });
  const context = await model.createContext({
    contextSize,
    sequences,
    flashAttention: false,
    batchSize: 512,
    threads: 1,
  });
  const template = new Template(model.fileInfo.metadata.tokenizer.chat_template);
  const observation = model.tokenize("<|observation|>", true)[0];

  /** Renders messages up to the open thinking block (or the closed, empty one). */
  const render = (messages, { tools, thinking = true } = {}) =>
    template.render({ messages, tools, add_generation_prompt: true, enable_thinking: thinking });

  /** Continues a prompt greedily: tokens, text, and whether it ended in a call. */
  async function complete(sequence, prompt, maxTokens = 300) {
    await sequence.clearHistory();
    const tokens = [];
    let ending = null;
    for await (const token of sequence.evaluate(model.tokenize(prompt, true), {
      temperature: 0,
      yieldEogToken: true,
    })) {
      if (model.isEogToken(token)) {
        ending = token;
        break;
      }
      tokens.push(token);
      if (tokens.length >= maxTokens) break;
    }
    return { tokens, text: model.detokenize(tokens, true), called: ending === observation };
  }
  const all = Array.from({ length: sequences }, () => context.getSequence());
  return { model, sequences: all, render, complete };
}
