// Scores a model on the held-out items in native llama.cpp: greedy, thinking forced.
// usage: node check/evaluate.mjs MODEL.gguf [items per task] [short follow-up long tools]
import { readFileSync } from "node:fs";
import { openModel } from "./native.mjs";

const [modelPath, limit = "60", ...chosen] = process.argv.slice(2);
const suites = chosen.length > 0 ? chosen : ["short", "follow-up", "long", "tools"];
const scores = new Map();

const score = (task, right) => {
  const row = scores.get(task) ?? { right: 0, n: 0 };
  scores.set(task, { right: row.right + (right ? 1 : 0), n: row.n + 1 });
};
const read = (suite) => {
  const seen = new Map();
  const file = new URL(`../../../bench/model/items/${suite}.jsonl`, import.meta.url);
  return readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter((item) => {
      const key = `${item.task} ${item.length}`;
      seen.set(key, (seen.get(key) ?? 0) + 1);
      return seen.get(key) <= Number(limit);
    });
};
const user = (content) => ({ role: "user", content });
const assistant = (content) => ({ role: "assistant", content });
const answerOf = (text) => (text.includes("</think>") ? text.split("</think>").at(-1).trim() : "");

const { sequences, render, complete } = await openModel(modelPath, { contextSize: 2304 });
const [sequence] = sequences;
const ask = async (messages, options) => answerOf((await complete(sequence, render(messages, options))).text);

const runners = {
  async short(item) {
    const messages = [user(item.question)];
    score(item.task, (await ask(messages)) === item.answer);
    const { text } = await complete(sequence, render(messages, { thinking: false }));
    score(`${item.task}, empty thinking block`, text.trim() === item.answer);
  },
  async "follow-up"(item) {
    // The model answers every turn itself, as in a chat; its thoughts are kept or pruned.
    const last = item.turns.at(-1);
    for (const keep of [false, true]) {
      let prompt = "[gMASK]<sop>";
      let answer = "";
      for (const { question } of item.turns) {
        const open = `${prompt}<|user|>\n${question}<|assistant|>\n`;
        const { text } = await complete(sequence, `${open}<think>\n`);
        answer = answerOf(text);
        prompt = keep ? `${open}<think>\n${text}` : open + answer;
      }
      score(`${item.task}, thoughts ${keep ? "kept" : "pruned"}`, answer === last.answer);
    }
  },
  async long(item) {
    const found = await ask([user(`${item.context} ${item.question}`)]);
    score(`retrieval at ${item.length}`, found === item.answer);
    const { question, answer } = item.addition;
    const sum = await ask([user(item.context), assistant("OK."), user(question)]);
    score(`addition behind ${item.length}`, sum === answer);
  },
  async tools(item) {
    const system = item.system ? [{ role: "system", content: item.system }] : [];
    const messages = [...system, user(item.question)];
    const tools = item.tools.length > 0 ? item.tools : undefined;
    let answer = "";
    let exact = 0;
    let made = 0;
    for (let round = 0; round < 6; round++) {
      const { text, called } = await complete(sequence, render(messages, { tools }));
      answer = answerOf(text);
      if (!called) break;
      const [name, ...rest] = answer.split("\n");
      const call = [name, rest.join("\n")];
      const planned = item.calls[made++];
      if (planned && planned[0] === name && sameJson(call[1], planned[1])) exact++;
      const known = item.calls.find(([tool, args]) => tool === name && sameJson(call[1], args));
      messages.push({ role: "assistant", metadata: name, content: call[1] });
      messages.push({ role: "observation", content: known ? known[2] : "not found" });
    }
    score(item.task, answer === item.answer);
    for (let i = 0; i < item.calls.length; i++) score(`${item.task}, exact calls`, i < exact);
    if (item.calls.length === 0) score(`${item.task}, no call made`, made === 0);
  },
};
function sameJson(text, value) {
  try {
    return JSON.stringify(JSON.parse(text)) === JSON.stringify(value);
  } catch {
    return false;
  }
}

for (const suite of suites) {
  scores.clear();
  for (const item of read(suite)) await runners[suite](item);
  for (const [task, { right, n }] of scores)
    console.log(`${task.padEnd(52)} ${((100 * right) / n).toFixed(1).padStart(5)} %  (${right}/${n})`);
}
process.exit(0);
