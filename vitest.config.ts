import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/{unit,architecture,golden,packaging,servers,docs}/**/*.test.ts"],
    environment: "node",
    // Engine tests instantiate a WebAssembly module and load weights: slow machines need the room.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // A process each, since a crashed WebAssembly module must not take other files with it; two fill a small machine.
    pool: "forks",
    maxWorkers: 2,
    passWithNoTests: false,
  },
});
