import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: {
    alias: { "@gen": fileURLToPath(new URL("../../gen/es/trunkline", import.meta.url)) },
    // gen/es lies outside this folder, where no node_modules are found.
    dedupe: ["@bufbuild/protobuf"],
  },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.{ts,tsx}"],
          environment: "jsdom",
          // One page for many files: a new one for each takes longer than the tests. setup.ts puts everything back.
          pool: "forks",
          isolate: false,
          setupFiles: ["test/unit/setup.ts"],
          // The first thing that a file draws takes seconds on a busy machine.
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          name: "pact",
          include: ["test/pact/**/*.test.ts"],
          // The library tells its makers of every installation unless asked not to.
          env: { PACT_DO_NOT_TRACK: "true" },
          // One process: two that merge into the same pact at once lose interactions.
          pool: "forks",
          maxWorkers: 1,
          isolate: false,
          testTimeout: 30_000,
        },
      },
    ],
  },
});
