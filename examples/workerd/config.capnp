# workerd serve config.capnp, after "npm run build" has made bundle/worker.js of worker.ts.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    # Whatever answers with the model's bytes: a folder here, static assets or a bucket at Cloudflare.
    (name = "models", disk = (path = "node_modules/ruminate/models")),
  ],
  sockets = [(name = "http", address = "127.0.0.1:8787", http = (), service = "main")],
);

const worker :Workerd.Worker = (
  compatibilityDate = "2026-11-01",
  modules = [
    (name = "bundle/worker.js", esModule = embed "bundle/worker.js"),
    # By the name under which the package imports it: a handler may not compile WebAssembly, only be given it compiled.
    (name = "wasm/dist/ruminate-32.wasm", wasm = embed "node_modules/ruminate/wasm/dist/ruminate-32.wasm"),
  ],
  bindings = [
    (name = "MODELS", service = "models"),
    (name = "MODEL", text = "ruminate-nano-q8_0.gguf"),
    (name = "API_KEY", fromEnvironment = "API_KEY"),
  ],
);
