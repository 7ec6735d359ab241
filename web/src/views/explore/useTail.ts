/** Lines as they come in, the newest at the end; what is kept is bounded, what is paused too. */

import { useCallback, useEffect, useRef, useState } from 'react';
import { nanos } from '../../api/loki';
import { follow, type Socket, type TailState } from '../../api/tail';
import { type LogRow, rowOf } from '../../panels/logs/prepare';

/** Older lines go when there are more. */
export const TAIL_MAX = 5_000;
/** Lines of the past that a tail begins with. */
const PAST = 100;
const PAST_MS = 3_600_000;
/** Lines are drawn this often, however fast they come. */
const DRAW_MS = 200;

export type Tail = {
  readonly rows: readonly LogRow[];
  readonly state: TailState;
  readonly why: string | undefined;
  /** Lines that came too fast for the server to send them. */
  readonly missed: number;
  /** Lines that wait while the list is paused. */
  readonly waiting: number;
  readonly clear: () => void;
};

export function useTail(expr: string, enabled: boolean, paused: boolean): Tail {
  const [rows, setRows] = useState<readonly LogRow[]>([]);
  const [state, setState] = useState<{ state: TailState; why: string | undefined }>({
    state: 'connecting',
    why: undefined,
  });
  const [missed, setMissed] = useState(0);
  const [waiting, setWaiting] = useState(0);
  const pending = useRef<LogRow[]>([]);
  const count = useRef(0);
  const held = useRef(paused);
  held.current = paused;

  useEffect(() => {
    if (!enabled) return;
    setRows([]);
    setMissed(0);
    pending.current = [];
    const end = follow(
      {
        origin: window.location.origin,
        expr,
        limit: PAST,
        start: nanos(Date.now() - PAST_MS),
      },
      {
        onLines: (lines) => {
          for (const line of lines) {
            count.current += 1;
            pending.current.push(rowOf(line, `live ${count.current}`));
          }
          if (pending.current.length > TAIL_MAX)
            pending.current.splice(0, pending.current.length - TAIL_MAX);
        },
        onMissed: (more) => setMissed((before) => before + more),
        onState: (now, why) => setState({ state: now, why }),
      },
      (url) => new WebSocket(url) as Socket,
    );
    const timer = setInterval(() => {
      if (held.current) {
        setWaiting(pending.current.length);
        return;
      }
      setWaiting(0);
      if (pending.current.length === 0) return;
      const fresh = pending.current;
      pending.current = [];
      setRows((before) => [...before, ...fresh].slice(-TAIL_MAX));
    }, DRAW_MS);
    return () => {
      clearInterval(timer);
      end();
    };
  }, [expr, enabled]);

  const clear = useCallback(() => {
    pending.current = [];
    setRows([]);
    setWaiting(0);
  }, []);
  return { rows, ...state, missed, waiting, clear };
}
