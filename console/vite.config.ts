import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// The server that development talks to: `python -m tests.console.mock_floor`, or a voicebot.
const SERVER = process.env["VOICEBOT_SERVER"] ?? "http://127.0.0.1:8090";

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "../voicebot/pages",
    emptyOutDir: true,
    target: "es2022",
    // The pages are served with a policy that forbids inline scripts and data: scripts alike.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/api": { target: SERVER } } },
  test: { environment: "node", include: ["src/**/*.test.ts"] },
});
