import { readdir } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { readModelHeader } from "../../../src/gguf/model-header.ts";
import type { FetchProgress } from "../../../src/gguf/source.ts";
import { openSource } from "../../../src/gguf/source.ts";
import { sendFile, serve } from "../../file-server.ts";
import { large, mib, temporaryFolder } from "./large-model.ts";

const folder = temporaryFolder();

describe("aborting", () => {
  const reason = new Error("changed my mind");

  test("openSource() stops a server that does not answer", async () => {
    await using server = await serve(() => {});
    const controller = new AbortController();
    const opening = openSource(`${server.base}/m.gguf`, { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 20);
    await expect(opening).rejects.toBe(reason);
  });

  test("openSource() does not wait for a fetch that ignores the signal", async () => {
    const controller = new AbortController();
    const opening = openSource("http://example.org/m.gguf", {
      signal: controller.signal,
      fetch: () => new Promise(() => {}),
    });
    controller.abort(reason);
    await expect(opening).rejects.toBe(reason);
  });

  test.each([true, false])("prepare() breaks the body off and leaves no file (ranges: %s)", async (ranges) => {
    await using server = await serve((request, response) => sendFile(request, response, { bytes: large, ranges }));
    const controller = new AbortController();
    const opened = await openSource(`${server.base}/m.gguf`, { signal: controller.signal });
    await readModelHeader(opened.files);
    const onprogress = ({ loaded }: FetchProgress): void => {
      if (loaded > 2 * mib) controller.abort(reason);
    };
    await expect(opened.prepare({ signal: controller.signal, onprogress })).rejects.toBe(reason);
    expect(await server.requests.at(-1)?.finished).toBe(false);
    expect(server.requests.at(-1)?.sent).toBeLessThan(large.byteLength);
    expect(await readdir(folder())).toEqual([]);
    await opened.close();
  });

  test("prepare() stops a body that hangs, by a signal of its own", async () => {
    await using server = await serve(async (request, response) => {
      response.writeHead(200, { "content-length": large.byteLength });
      response.write(large.subarray(0, mib));
      await request.finished;
    });
    const opened = await openSource(`${server.base}/m.gguf`);
    await readModelHeader(opened.files);
    const controller = new AbortController();
    const preparing = opened.prepare({ signal: controller.signal });
    setTimeout(() => controller.abort(reason), 20);
    await expect(preparing).rejects.toBe(reason);
    expect(await server.requests[0]?.finished).toBe(false);
  });

  test("a Request's own signal counts too", async () => {
    await using server = await serve(() => {});
    const controller = new AbortController();
    const opening = openSource(new Request(`${server.base}/m.gguf`, { signal: controller.signal }));
    setTimeout(() => controller.abort(reason), 20);
    await expect(opening).rejects.toBe(reason);
  });
});
