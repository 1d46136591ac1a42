// `npx vite build examples/browser-chat`, or `npx vite examples/browser-chat` while you change it. In a project of your own
// "ruminate" is found in node_modules, and all but the headers can go.
import { fileURLToPath } from "node:url";

// They let a page use several threads; your server has to send them too.
const headers = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

// oxlint-disable-next-line import/no-default-export -- Vite wants one.
export default {
  base: "./",
  resolve: { alias: { ruminate: fileURLToPath(new URL("../../dist/index.js", import.meta.url)) } },
  worker: { format: "es" },
  build: { target: "es2022" },
  server: { headers, fs: { allow: ["../.."] } },
  preview: { headers },
};
