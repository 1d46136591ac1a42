/** Where ruminate-nano lies, the small model of the package. The build rewrites the literal to its place beside `dist`. */
export function bundledModelUrl(): URL {
  return new URL("../../models/ruminate-nano-q8_0.gguf", import.meta.url);
}
