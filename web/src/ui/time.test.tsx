// @vitest-environment happy-dom

import { act, cleanup, renderHook } from '@testing-library/react';
import type { ReactNode } from 'react';
import { afterEach, expect, test } from 'vitest';
import { TimeProvider, usePageTime } from './time';

afterEach(() => {
  cleanup();
  window.history.replaceState(null, '', '/');
});

/** The time of a page at this address whose board refreshes by itself. */
function timeAt(address: string) {
  window.history.replaceState(null, '', address);
  const wrapper = ({ children }: { children: ReactNode }) => (
    <TimeProvider
      defaultRange={{ from: 'now-1h', to: 'now' }}
      defaultRefresh="30s"
      defaultZone="utc"
      busy={() => false}
    >
      {children}
    </TimeProvider>
  );
  return renderHook(usePageTime, { wrapper }).result;
}

test('a board that refreshes by itself can be told not to', () => {
  const time = timeAt('/d/host/host');
  expect(time.current.refresh).toBe('30s');
  act(() => time.current.setRefresh(''));
  expect(time.current.refresh).toBe('');
  expect(window.location.search).toBe('?refresh=');
  act(() => time.current.setRefresh('5s'));
  expect([time.current.refresh, window.location.search]).toEqual(['5s', '?refresh=5s']);
  act(() => time.current.setRefresh('30s'));
  expect([time.current.refresh, window.location.search]).toEqual(['30s', '']);
});

test('a range that means nothing is the last hour, and says so', () => {
  const time = timeAt('/d/host/host?from=now&to=now-1h');
  expect(time.current.raw).toEqual({ from: 'now-1h', to: 'now' });
  expect(time.current.range.to - time.current.range.from).toBe(3_600_000);
});
