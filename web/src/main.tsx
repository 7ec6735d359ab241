// The application starts here: look, data, routes.

import '@mantine/core/styles.layer.css';
import './ui/base.css';
import { MantineProvider } from '@mantine/core';
import { notifyManager, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App, begin } from './App';
import { AGAIN_MS, ApiError, Unreachable } from './api/http';
import { THEME } from './ui/theme';

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // A request that the server refused is refused again; only a lost connection is worth a try.
      retry: (count, error) => !(error instanceof ApiError) && count < 1,
      // A page comes back by itself when the server does; not while nobody looks at it.
      refetchInterval: (query) => (query.state.error instanceof Unreachable ? AGAIN_MS : false),
      refetchOnWindowFocus: false,
      staleTime: 5_000,
    },
  },
});

// An answer is drawn at once; a timer would stand in line behind everything else of a first page.
notifyManager.setScheduler(queueMicrotask);

begin(queries);

const root = document.getElementById('root');
if (root === null) throw new Error('BUG: the page has no #root');
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={THEME} defaultColorScheme="auto">
      <QueryClientProvider client={queries}>
        <App />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
