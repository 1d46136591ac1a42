// The conversation between visits, in the browser's private file system.
const fileName = "conversation.json";

/** @returns The messages that were kept; none where there are none, or where the browser keeps nothing. */
export async function recall() {
  try {
    const folder = await navigator.storage.getDirectory();
    const file = await (await folder.getFileHandle(fileName)).getFile();
    const messages = JSON.parse(await file.text());
    return Array.isArray(messages) ? messages : [];
  } catch {
    return [];
  }
}

let writing = Promise.resolve(true);

/** Keeps messages; one after the other. @returns Whether the browser could. */
export function keep(messages) {
  const text = JSON.stringify(messages);
  writing = writing.then(async () => {
    try {
      const folder = await navigator.storage.getDirectory();
      const file = await (await folder.getFileHandle(fileName, { create: true })).createWritable();
      await file.write(text);
      await file.close();
      return true;
    } catch {
      return false;
    }
  });
  return writing;
}
