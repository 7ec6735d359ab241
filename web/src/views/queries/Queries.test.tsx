// @vitest-environment happy-dom

import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, cleanup, fireEvent, render, screen, within } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Queries as Answer, RunningQuery, SlowQuery } from '../../api/generated';
import { SessionProvider } from '../../ui/session';
import { Queries } from './Queries';

const touched = { samples: 1, series: 1, blocks: 0, decodedBytes: 0 };
const asked = (query: string) =>
  ({ language: 'promql', query, startMs: 0, endMs: 0, stepMs: null, beganMs: 0 }) as const;
const runs = (id: number): RunningQuery => ({
  id,
  ...asked(`q${id}`),
  waits: false,
  elapsedSeconds: 1,
  touched,
});
const slow = (id: number, times = 1): SlowQuery => ({
  id,
  ...asked(`q${id}`),
  times,
  outcome: 'done',
  explain: {
    queuedSeconds: 0,
    totalSeconds: 1,
    ...touched,
    spans: [{ what: 'select', startSeconds: 0, tookSeconds: 1 }],
  },
});

let client: QueryClient;

/** The page has this answer, as if it had asked again. */
function answered(answer: Partial<Answer>) {
  act(() => {
    client.setQueryData<Answer>(['queries'], { running: [], slowest: [], ...answer });
  });
}

beforeEach(() => {
  // However slow the machine is, the pointer has moved just now.
  vi.useFakeTimers({ toFake: ['Date'] });
  // Nothing but what the test gives is ever answered.
  vi.stubGlobal('fetch', () => new Promise(() => {}));
  client = new QueryClient({
    defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } },
  });
  client.setQueryData(['user'], { role: 'admin', loginWanted: false, session: false });
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function show(answer: Partial<Answer>) {
  answered(answer);
  render(
    <MantineProvider>
      <QueryClientProvider client={client}>
        <SessionProvider>
          <Queries />
        </SessionProvider>
      </QueryClientProvider>
    </MantineProvider>,
  );
}

/** The queries of a part in their order; of one that has ended, that too. */
function rows(part: string): string[] {
  const [, ...all] = within(screen.getByRole('region', { name: part })).getAllByRole('row');
  return all.map((row) => {
    const ended = within(row).queryByText('ended') === null ? '' : ' ended';
    return `${within(row).getByRole('link').textContent}${ended}`;
  });
}

test('no row moves away under the pointer', async () => {
  show({ running: [runs(1), runs(2)] });
  const part = screen.getByRole('region', { name: 'Running' });
  fireEvent.pointerMove(part);
  answered({ running: [runs(2), runs(3)] });
  await vi.waitFor(() => expect(rows('Running')).toEqual(['q1 ended', 'q2', 'q3']));
  expect(within(part).getAllByRole('button', { name: 'End it' })).toHaveLength(2);
  fireEvent.pointerLeave(part);
  answered({ running: [runs(3), runs(4)] });
  await vi.waitFor(() => expect(rows('Running')).toEqual(['q3', 'q4']));
});

test('no row moves away while one of them is open', async () => {
  show({ slowest: [slow(1), slow(2, 3)] });
  expect(screen.getByText(/the slowest of 3 runs/)).toBeDefined();
  const [first] = screen.getAllByRole('button', { name: 'Where did the time go?' });
  act(() => first?.click());
  expect(screen.getByText('select')).toBeDefined();
  answered({ slowest: [slow(5), slow(1), slow(2)] });
  await vi.waitFor(() => expect(rows('Slowest')).toEqual(['q1', 'q2', 'q5']));
  act(() => screen.getByRole('button', { name: 'Hide the steps' }).click());
  await vi.waitFor(() => expect(rows('Slowest')).toEqual(['q5', 'q1', 'q2']));
});
