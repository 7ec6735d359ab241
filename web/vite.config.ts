// How the application is built: one page, split by route, no source maps, into `dist/`, which the
// binary embeds. `npm run dev` serves it with the API of a running server behind it.

import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/**
 * The first page of an address whose first word is the key. It is `index.html` and the names of all
 * files that the view needs, so that a browser asks for them at once, not one round after the other.
 * The server takes `WORD.html` where there is one (`crates/http-api/src/pages.rs`).
 */
const FIRST_PAGES: Readonly<Record<string, readonly string[]>> = {
  index: ['views/dashboards/Dashboards.tsx'],
  d: ['views/dashboard/DashboardPage.tsx'],
  explore: ['views/explore/Explore.tsx', 'ui/editor/QueryEditor.tsx'],
};

function firstPages(): Plugin {
  return {
    name: 'first-pages',
    enforce: 'post',
    generateBundle(_, bundle) {
      const index = bundle['index.html'];
      if (index?.type !== 'asset') throw new Error('the build has no index.html');
      const html = String(index.source);
      for (const [name, views] of Object.entries(FIRST_PAGES)) {
        const files = new Set<string>();
        const add = (file: string) => {
          const chunk = bundle[file];
          if (files.has(file) || chunk?.type !== 'chunk') return;
          files.add(file);
          for (const style of chunk.viteMetadata?.importedCss ?? []) files.add(style);
          for (const other of chunk.imports) add(other);
        };
        for (const view of views) {
          const own = Object.values(bundle).find(
            (one) =>
              one.type === 'chunk' && one.moduleIds.some((id) => id.endsWith(`/src/${view}`)),
          );
          if (own === undefined) throw new Error(`no file of the build has ${view}`);
          add(own.fileName);
        }
        const links = [...files]
          .filter((file) => !html.includes(`/${file}"`))
          .map((file) =>
            file.endsWith('.css')
              ? `    <link rel="stylesheet" crossorigin href="/${file}">\n`
              : `    <link rel="modulepreload" crossorigin href="/${file}">\n`,
          );
        const source = html.replace('  </head>', `${links.join('')}  </head>`);
        if (name === 'index') index.source = source;
        else this.emitFile({ type: 'asset', fileName: `${name}.html`, source });
      }
    },
  };
}

const server = process.env.MASTHEAD_URL ?? 'http://127.0.0.1:3000';

export default defineConfig({
  plugins: [react(), firstPages()],
  build: {
    target: 'es2022',
    sourcemap: false,
    chunkSizeWarningLimit: 700,
    // Small images would need `data:` in the content security policy.
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: {
        // Few files instead of one for each part that two views share: a browser has six connections.
        codeSplitting: {
          groups: [
            {
              name: 'base',
              test: /vite\/preload-helper|node_modules\/(react|react-dom|scheduler|wouter|@mantine|@floating-ui|@tanstack\/(react-)?query|@tabler)|\/src\/(lib|api)\/|\/src\/ui\/(?!editor|usePanel)/,
              priority: 2,
            },
            {
              name: 'board',
              test: /node_modules\/uplot|\/src\/(frame|dashboard)\/|\/src\/panels\/(timeseries|stat|parts|registry)/,
              priority: 1,
            },
          ],
        },
      },
    },
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
