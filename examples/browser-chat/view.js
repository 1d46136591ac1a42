// What is shown of a conversation. Texts are set as text: nothing that a model or a user says becomes markup.

/** @returns {HTMLElement} */
export function element(name, { text, ...properties } = {}, children = []) {
  const made = Object.assign(document.createElement(name), properties);
  if (text !== undefined) made.textContent = text;
  made.append(...children);
  return made;
}

/** Shows a user's message. `onEdit` gets the text that is to be sent in its place. */
export function userMessage(text, { onEdit }) {
  const item = element("li", { className: "user" });
  const show = () => {
    const edit = element("button", { type: "button", text: "Edit" });
    edit.setAttribute("aria-label", `Edit "${text.slice(0, 40)}"`);
    edit.onclick = change;
    item.replaceChildren(element("p", { className: "text", text }), element("div", { className: "tools" }, [edit]));
  };
  const change = () => {
    const area = element("textarea", { value: text, rows: 3 });
    area.setAttribute("aria-label", "Change the message");
    const form = element("form", {}, [
      area,
      element("div", { className: "tools" }, [
        element("button", { text: "Resend" }),
        element("button", { type: "button", text: "Leave it", onclick: show }),
      ]),
    ]);
    form.onsubmit = (event) => {
      event.preventDefault();
      if (area.value.trim() !== "") onEdit(area.value.trim());
    };
    item.replaceChildren(form);
    area.focus();
  };
  show();
  return item;
}

/** Shows a reply as it comes: thoughts in a panel that folds, then the answer, then numbers. */
export function replyMessage() {
  const summary = element("summary", { text: "Thinking…" });
  const thoughts = element("p", { className: "thoughts" });
  thoughts.tabIndex = 0;
  thoughts.setAttribute("role", "region");
  thoughts.setAttribute("aria-label", "Thoughts");
  const panel = element("details", { className: "thinking", hidden: true }, [summary, thoughts]);
  const text = element("p", { className: "text" });
  const stats = element("p", { className: "stats" });
  const item = element("li", { className: "assistant" }, [panel, text, stats]);
  return {
    item,
    think(more) {
      if (thoughts.textContent === "") panel.open = true;
      panel.hidden = false;
      thoughts.textContent += more;
      thoughts.scrollTop = thoughts.scrollHeight;
    },
    say(more) {
      if (text.textContent === "") panel.open = false;
      summary.textContent = "Thoughts";
      text.textContent += more;
    },
    /** Says at the end what it took, or why it ended. */
    end(words, { open } = {}) {
      summary.textContent = "Thoughts";
      if (open !== undefined) panel.open = open;
      stats.textContent = words;
    },
  };
}

const units = [
  ["GB", 1e9],
  ["MB", 1e6],
  ["kB", 1e3],
];

/** Bytes for people. */
export function bytes(count) {
  const [unit, size] = units.find(([, least]) => count >= least) ?? ["B", 1];
  return `${(count / size).toFixed(size > 1e6 ? 1 : 0)} ${unit}`;
}

/** A time for people. */
export function duration(seconds) {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.ceil(seconds % 60)} s`;
}
