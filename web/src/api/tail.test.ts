import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { follow, readMessage, type Socket, tailUrl } from './tail';

const message = (...lines: readonly (readonly [string, string])[]) => ({
  data: JSON.stringify({ streams: [{ stream: { job: 'a' }, values: lines }] }),
});

function rig() {
  const sockets: (Socket & { url: string; closed: boolean })[] = [];
  const events: string[] = [];
  const stop = follow(
    { origin: 'http://x', expr: '{a="b"}', limit: 10, start: '5' },
    {
      onLines: (lines) => events.push(...lines.map((l) => l.line)),
      onMissed: (count) => events.push(`missed ${count}`),
      onState: (state, why) => events.push(why === undefined ? state : `${state}: ${why}`),
    },
    (url) => {
      const socket = {
        url,
        closed: false,
        onopen: null,
        onmessage: null,
        onclose: null,
        close: () => {
          socket.closed = true;
        },
      };
      sockets.push(socket);
      return socket;
    },
  );
  return { sockets, events, stop };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it('asks the same host over a WebSocket', () => {
  expect(tailUrl('https://h:1', { expr: '{a="b"}', limit: 5, start: '7' })).toBe(
    'wss://h:1/loki/api/v1/tail?query=%7Ba%3D%22b%22%7D&limit=5&start=7&encodingFlags=categorize-labels',
  );
});

it('opens again after a break, from the newest line, and brings no line twice', () => {
  const { sockets, events, stop } = rig();
  sockets[0]?.onopen?.();
  sockets[0]?.onmessage?.(message(['100', 'one'], ['100', 'two']));
  sockets[0]?.onclose?.({ code: 1006, reason: '' });
  vi.advanceTimersByTime(1_000);
  expect(sockets[1]?.url).toContain('start=100');
  sockets[1]?.onmessage?.(message(['100', 'two'], ['101', 'three']));
  expect(events).toEqual(['connecting', 'open', 'one', 'two', 'waiting', 'connecting', 'three']);
  sockets[1]?.onclose?.({ code: 1001, reason: 'stopping' });
  vi.advanceTimersByTime(1_999);
  expect(sockets.length).toBe(2);
  stop();
  vi.advanceTimersByTime(60_000);
  expect(sockets.length).toBe(2);
  expect(sockets[1]?.closed).toBe(true);
});

it('does not try again what the server cannot follow', () => {
  const { sockets, events } = rig();
  sockets[0]?.onclose?.({ code: 1011, reason: 'only log selector is supported' });
  vi.advanceTimersByTime(60_000);
  expect(events.at(-1)).toBe('refused: only log selector is supported');
  expect(sockets.length).toBe(1);
});

it('tells what a line has of its own from the labels of its stream', () => {
  const parts = { structuredMetadata: { trace: 't1' }, parsed: { level: 'info' } };
  const streams = [{ stream: { job: 'a' }, values: [['100', 'one', parts]] }];
  const { lines } = readMessage(JSON.stringify({ streams, encodingFlags: ['categorize-labels'] }));
  expect(lines).toEqual([
    {
      ns: '100',
      ms: 0,
      line: 'one',
      stream: { job: 'a' },
      metadata: { trace: 't1' },
      parsed: { level: 'info' },
    },
  ]);
});

it('reads what was missed, and nothing from what is no message', () => {
  expect(readMessage('{"streams":[],"dropped_entries":[{},{}]}')).toEqual({ lines: [], missed: 2 });
  for (const bad of ['', '[', 'null', '{}', new ArrayBuffer(1)])
    expect(readMessage(bad)).toEqual({ lines: [], missed: 0 });
});
