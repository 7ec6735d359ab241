// How the application is built: one page, split by route, no source maps, into `dist/`, which the
// binary embeds. `npm run dev` serves it with the API of a running server behind it.

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const server = process.env.MASTHEAD_URL ?? 'http://127.0.0.1:3000';

export default defineConfig({
  plugins: [react()],
  build: {
    target: 'es2022',
    sourcemap: false,
    chunkSizeWarningLimit: 700,
    // Small images would need `data:` in the content security policy.
    assetsInlineLimit: 0,
  },
  server: {
    proxy: Object.fromEntries(
      ['/api', '/loki', '/otlp', '/metrics', '/federate', '/-/'].map((path) => [
        path,
        { target: server, ws: true },
      ]),
    ),
  },
  test: {
    include: ['src/**/*.test.{ts,tsx}'],
    environment: 'node',
  },
});
