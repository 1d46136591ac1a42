// A chat: choose a model, talk, and go on where you left off.
import { capabilities } from "ruminate";
import { keep, recall } from "./history.js";
import { load } from "./loading.js";
import { element, replyMessage, userMessage } from "./view.js";

const at = (id) => document.getElementById(id);
const budgets = [0, 16, 64, 128, 256, 512, 1024, 2048, 4096, Infinity];

let model;
let loading;
let generation;
let stopping;
/** What was said, as the model is to see it: answers without thoughts. */
let messages = [];

function tell(text) {
  at("status").textContent = text;
}

async function start(source) {
  loading?.abort();
  loading = new AbortController();
  const { signal } = loading;
  at("error").textContent = "";
  at("drop").hidden = true;
  at("loading").hidden = false;
  at("progress").removeAttribute("value");
  try {
    const loaded = await load(source, {
      signal,
      onprogress({ share, text }) {
        if (share !== undefined) at("progress").value = share;
        at("progress-text").textContent = text;
      },
    });
    await model?.close();
    model = loaded;
    at("setup").hidden = true;
    at("composer").hidden = false;
    at("clear").hidden = false;
    const { name = "the model", threads, engine } = model.info;
    tell(`${name} is ready: ${threads} thread${threads === 1 ? "" : "s"}, ${engine}`);
    at("question").focus();
  } catch (error) {
    if (!signal.aborted) at("error").textContent = error.message;
    at("drop").hidden = false;
    tell("No model yet");
  } finally {
    at("loading").hidden = true;
  }
}

function show() {
  at("messages").replaceChildren(
    ...messages.map(({ role, content, reasoning, stats }, index) => {
      if (role === "user") return userMessage(content, { onEdit: (text) => void ask(text, index) });
      const reply = replyMessage();
      if (reasoning) reply.think(reasoning);
      reply.say(content);
      reply.end(stats ?? "");
      return reply.item;
    }),
  );
}

/** Asks in place of the message at `index`, and of all after it. */
async function ask(text, index = messages.length) {
  if (!model || generation) return;
  messages = [...messages.slice(0, index), { role: "user", content: text }];
  show();
  const reply = replyMessage();
  at("messages").append(reply.item);
  busy(true);
  const said = { role: "assistant", content: "", reasoning: "" };
  let stats = "Stopped.";
  try {
    stopping = new AbortController();
    const budget = budgets[at("budget").value];
    const options = { signal: stopping.signal, reasoning: { budget } };
    generation = model.chat(
      messages.map(({ role, content }) => ({ role, content })),
      options,
    );
    for await (const part of generation) {
      if (part.type === "prefill") tell(`Reading: ${part.done} of ${part.total} tokens`);
      if (part.type === "reasoning") {
        tell("Thinking");
        said.reasoning += part.text;
        reply.think(part.text);
      }
      if (part.type === "text") {
        at("answer-now").hidden = true;
        tell("Answering");
        said.content += part.text;
        reply.say(part.text);
      }
      if (part.type === "finish") stats = statsOf(part.result);
      reply.item.scrollIntoView({ block: "end" });
    }
    tell("Ready");
  } catch (error) {
    if (!stopping.signal.aborted) stats = error.message;
    tell(stats);
  }
  reply.end(stats);
  // A reply that was stopped in its thoughts has no answer that the model could be shown again.
  if (said.content !== "") messages = [...messages, { ...said, stats }];
  generation = undefined;
  busy(false);
  const isKept = await keep(messages);
  if (!isKept) tell("Ready; this browser does not keep conversations here");
}

function statsOf({ usage, timings }) {
  const cached = usage.cached > 0 ? ` (${usage.cached} known)` : "";
  return [
    `${usage.prompt} tokens read${cached}`,
    `${usage.reasoning} thought`,
    `${usage.text} said`,
    `${timings.tokensPerSecond.toFixed(1)} tokens/s`,
  ].join(" · ");
}

function busy(isBusy) {
  at("stop").hidden = at("answer-now").hidden = !isBusy;
  at("send").disabled = isBusy;
  at("messages").setAttribute("aria-busy", String(isBusy));
  for (const button of document.querySelectorAll(".tools button")) button.disabled = isBusy;
  if (!isBusy) at("question").focus();
}

function send(event) {
  event.preventDefault();
  const text = at("question").value.trim();
  if (text === "" || generation) return;
  at("question").value = "";
  void ask(text);
}

function showBudget() {
  const budget = budgets[at("budget").value];
  const text = budget === Infinity ? "no limit" : budget === 0 ? "no thoughts" : `${budget} tokens`;
  at("budget-text").textContent = text;
  at("budget").setAttribute("aria-valuetext", text);
}

async function showHost() {
  const { threads, simd, memory64, maxMemory, why } = await capabilities();
  const facts = [
    `${threads} thread${threads === 1 ? "" : "s"}`,
    `SIMD: ${simd}`,
    `${memory64 ? "64" : "32"}-bit memory, up to ${maxMemory / 2 ** 30} GiB`,
  ];
  at("abilities").replaceChildren(...[...facts, ...why].map((text) => element("li", { text })));
}

at("bundled").onclick = () => void start(undefined);
at("file").onchange = ({ target }) => target.files.length > 0 && void start([...target.files]);
at("by-address").onsubmit = (event) => {
  event.preventDefault();
  void start(at("address").value);
};
at("cancel").onclick = () => loading?.abort();
at("drop").ondragover = (event) => {
  event.preventDefault();
  at("drop").classList.add("over");
};
at("drop").ondragleave = () => at("drop").classList.remove("over");
at("drop").ondrop = (event) => {
  event.preventDefault();
  at("drop").classList.remove("over");
  if (event.dataTransfer.files.length > 0) void start([...event.dataTransfer.files]);
};
at("composer").onsubmit = send;
at("question").onkeydown = (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
};
at("stop").onclick = () => stopping?.abort();
document.addEventListener("keydown", ({ key }) => {
  if (key === "Escape") stopping?.abort();
});
at("answer-now").onclick = () => generation?.endReasoning();
at("budget").oninput = showBudget;
at("clear").onclick = () => {
  stopping?.abort();
  messages = [];
  show();
  void keep(messages);
  at("question").focus();
};

showBudget();
void showHost();
messages = await recall();
show();
tell(messages.length > 0 ? "Choose a model to go on" : "No model yet");
