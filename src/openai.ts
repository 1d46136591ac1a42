// The door `ruminate/openai`: a loaded model as an OpenAI-compatible server.
export { createHandler } from "./serve/handler.ts";
export type { HandlerOptions } from "./serve/options.ts";
