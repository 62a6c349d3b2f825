import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// A running `trunkline dev`, for `npm run dev`.
const server = process.env["TRUNKLINE_SERVER"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  base: "/console/",
  plugins: [react()],
  resolve: {
    alias: { "@gen": fileURLToPath(new URL("../../gen/es/trunkline", import.meta.url)) },
    // gen/es lies outside this folder, where no node_modules are found.
    dedupe: ["@bufbuild/protobuf"],
  },
  // The server puts a fresh nonce in its place with every answer.
  html: { cspNonce: "__NONCE__" },
  build: {
    // console.go serves what is here; tools/budget.mjs reads the manifest.
    outDir: "dist",
    manifest: true,
    target: "es2022",
    sourcemap: false,
    // No data: fonts or scripts; small icons of CSS may be inline images.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1000,
  },
  server: {
    proxy: Object.fromEntries(["^/trunkline\\.", "/health", "/ready", "/console/settings.json"].map((path) => [path, server])),
  },
});
