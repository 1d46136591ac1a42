import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/unit/**/*.test.ts", "test/architecture/**/*.test.ts"],
    environment: "node",
    // Engine tests instantiate a WebAssembly module and load weights: slow machines need the room.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two workers fill the smallest machine that runs this; threads share the compiled modules' memory.
    pool: "forks",
    maxWorkers: 2,
    passWithNoTests: false,
  },
});
