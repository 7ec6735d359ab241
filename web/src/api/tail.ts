/**
 * Lines as the server gets them, over a WebSocket that is opened again when it breaks.
 *
 * Nothing is lost by a short break: the next connection asks from the newest line that came. What
 * the reader could not take is bounded by the reader, see `views/explore/useTail.ts`.
 */

import type { TailMessage } from './generated';
import { compareNanos, type LogLine, linesOf } from './loki';

export type TailState = 'connecting' | 'open' | 'waiting' | 'refused';

export type TailEvents = {
  readonly onLines: (lines: readonly LogLine[]) => void;
  /** Lines that the server could not send in time. */
  readonly onMissed: (count: number) => void;
  readonly onState: (state: TailState, why: string | undefined) => void;
};

/** What is needed of a WebSocket, so that tests can bring their own. */
export type Socket = {
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  close: () => void;
};

const FIRST_WAIT_MS = 1_000;
const LAST_WAIT_MS = 30_000;
/** The server's way to say that the expression cannot be followed, or that it stops. */
const CANNOT = 1011;

export function tailUrl(
  origin: string,
  query: { expr: string; limit: number; start: string },
): string {
  const params = new URLSearchParams({
    query: query.expr,
    limit: String(query.limit),
    start: query.start,
    // A WebSocket has no headers of ours: the address asks for labels by where they come from.
    encodingFlags: 'categorize-labels',
  });
  return `${origin.replace(/^http/, 'ws')}/loki/api/v1/tail?${params}`;
}

/** Follows until the function that it returns is called. */
export function follow(
  query: { origin: string; expr: string; limit: number; start: string },
  events: TailEvents,
  open: (url: string) => Socket,
): () => void {
  let socket: Socket | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let wait = FIRST_WAIT_MS;
  let newest = query.start;
  let seen = new Set<string>();
  let ended = false;

  const connect = () => {
    events.onState('connecting', undefined);
    const url = tailUrl(query.origin, { ...query, start: newest });
    const own = open(url);
    socket = own;
    own.onopen = () => {
      wait = FIRST_WAIT_MS;
      events.onState('open', undefined);
    };
    own.onmessage = ({ data }) => {
      const message = readMessage(data);
      // The lines of the newest instant come again after a break.
      const fresh = message.lines.filter((line) => {
        const order = compareNanos(line.ns, newest);
        if (order > 0) {
          newest = line.ns;
          seen = new Set();
        }
        if (order < 0) return true;
        const key = `${JSON.stringify(line.stream)} ${line.line}`;
        if (seen.has(key)) return false;
        seen.add(key);
        return true;
      });
      if (fresh.length > 0) events.onLines(fresh);
      if (message.missed > 0) events.onMissed(message.missed);
    };
    own.onclose = ({ code, reason }) => {
      if (ended || socket !== own) return;
      if (code === CANNOT) {
        events.onState('refused', reason === '' ? 'the server cannot follow this' : reason);
        return;
      }
      events.onState('waiting', reason === '' ? undefined : reason);
      timer = setTimeout(connect, wait);
      wait = Math.min(wait * 2, LAST_WAIT_MS);
    };
  };
  connect();
  return () => {
    ended = true;
    clearTimeout(timer);
    socket?.close();
  };
}

type Message = { readonly lines: readonly LogLine[]; readonly missed: number };

/** Lines of one message, oldest first. */
export function readMessage(data: unknown): Message {
  if (typeof data !== 'string') return { lines: [], missed: 0 };
  let body: unknown;
  try {
    body = JSON.parse(data);
  } catch {
    return { lines: [], missed: 0 };
  }
  const { streams, dropped_entries: dropped } = (body ?? {}) as Partial<TailMessage>;
  const lines = linesOf(streams ?? []);
  return { lines: lines.sort((a, b) => compareNanos(a.ns, b.ns)), missed: dropped?.length ?? 0 };
}
