// What the first bytes of files that people take for a GGUF look like, most specific first. Bytes as Latin-1 text.
const shapes: readonly (readonly [RegExp, string])[] = [
  [/^$/, "an empty file"],
  [
    /^version https:\/\/git-lfs/,
    "a Git LFS pointer (fetch the file itself, with `git lfs pull` or by its download link)",
  ],
  [/^PK\x03\x04/, "a zip archive (PyTorch checkpoints are zips; convert the model to GGUF)"],
  [/^\x1f\x8b/, "a gzip archive (unpack it first)"],
  [/^(?:lmgg|fmgg|tjgg|algg)/, "a model in the old GGML format (convert it to GGUF)"],
  [/^\x89HDF/, "an HDF5 file (convert the model to GGUF)"],
  [/^[^]{6}\x00\x00\{/, "a safetensors file (convert the model to GGUF)"],
  [/^\x80[\x02-\x05]/, "a Python pickle (convert the model to GGUF)"],
  [
    /^(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|\?xml|head|body)/i,
    "a web page (is the address the download link, not the page about the file?)",
  ],
  [/^(?:\xef\xbb\xbf)?\s*[{[]/, "JSON text (an error message from the server?)"],
  [/^[\t\n\r\x20-\x7e]+$/, "plain text"],
];

/**
 * What a file that does not begin with `GGUF` looks like.
 *
 * @param bytes The first bytes, at least 16 if the file has them.
 * @returns A noun phrase, with the next step where one is known.
 */
export function looksLike(bytes: Uint8Array): string {
  const text = String.fromCharCode(...bytes.subarray(0, 64));
  const shape = shapes.find(([pattern]) => pattern.test(text));
  if (shape) return shape[1];
  return `a file of another kind (its first bytes are ${[...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ")})`;
}
