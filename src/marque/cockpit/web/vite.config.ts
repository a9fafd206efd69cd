import { defineConfig } from "vite";

// Relative addresses: the page works under any path. No inline script or style: the server forbids them.
export default defineConfig({
  base: "./",
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
  },
});
