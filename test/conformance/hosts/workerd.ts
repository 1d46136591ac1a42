// The host of the cases in workerd: a request whose body is the HostConfig is answered by the reports, a JSON line each.
import type { ModelSource } from "../../../src/index.ts";
import type { Doors, HostConfig, HostReport, Sdk } from "../contract.ts";
import { execute } from "../execute.ts";

const unhandled: string[] = [];
addEventListener("unhandledrejection", (event) => {
  unhandled.push(`unhandled rejection: ${String((event as PromiseRejectionEvent).reason)}`);
});

// Found beside this module when it runs, and left alone when it is bundled.
const built = ["../../../dist/workerd.js", "../../../dist/openai.js", "../../../dist/ai-sdk.js"] as const;

// oxlint-disable-next-line import/no-default-export -- that is what a Worker is
export default {
  async fetch(request: Request): Promise<Response> {
    // The runner wrote it and is of the same version.
    const config = (await request.json()) as HostConfig;
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const report = (line: HostReport): void => {
      void writer.write(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
    };
    const sdk = (await import(built[0])) as Sdk;
    // A Worker has no files, and so no bundled model: it is given the same one by address.
    const loadModel: Sdk["loadModel"] = (
      source: ModelSource = `${config.origin}/models/ruminate-nano-q8_0.gguf`,
      options,
    ) => sdk.loadModel(source, options);
    const doors = async (): Promise<Doors> => ({
      openai: (await import(built[1])) as Doors["openai"],
      aiSdk: (await import(built[2])) as Doors["aiSdk"],
    });
    void execute(config, { unhandled, sdk: { ...sdk, loadModel }, doors }, report).then(() => writer.close());
    return new Response(readable);
  },
};
