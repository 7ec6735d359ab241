/** The time range of a page: raw from the address, resolved at the last refresh. */

import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useState,
} from 'react';
import { parseDuration } from '../lib/time/duration';
import { type RawRange, resolveRange, type TimeRange } from '../lib/time/relative';
import { type Zone, zoneOf } from '../lib/time/zone';
import { rangeOf, useUrl } from '../lib/url-state';

export type PageTime = {
  readonly raw: RawRange;
  readonly range: TimeRange;
  readonly zone: Zone;
  readonly refresh: string;
  /** Counts refreshes: data that was fetched for another count is old. */
  readonly tick: number;
  readonly setRange: (raw: RawRange) => void;
  readonly setRefresh: (every: string) => void;
  readonly setZone: (zone: Zone) => void;
  readonly now: () => void;
};

const LAST_HOUR: RawRange = { from: 'now-1h', to: 'now' };

const Context = createContext<PageTime | undefined>(undefined);

type Props = {
  readonly defaultRange: RawRange;
  readonly defaultRefresh: string;
  readonly defaultZone: Zone;
  /** Whether requests of the last refresh still run; the next one waits for them. */
  readonly busy: () => boolean;
  readonly children: ReactNode;
};

export function TimeProvider({ defaultRange, defaultRefresh, defaultZone, busy, children }: Props) {
  const [params, setUrl] = useUrl();
  const [tick, setTick] = useState(0);
  const asked = rangeOf(params, defaultRange);
  const refresh = params.get('refresh') ?? defaultRefresh;
  const zone = zoneOf(params.get('timezone') ?? defaultZone);
  // What the address says may mean nothing; then the page says what it shows instead.
  const { from, to } = useMemo(
    () =>
      resolveRange({ from: asked.from, to: asked.to }, Date.now(), zone) === undefined
        ? LAST_HOUR
        : { from: asked.from, to: asked.to },
    [asked.from, asked.to, zone],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: a refresh is what moves `now`.
  const range = useMemo(() => {
    const now = Date.now();
    return resolveRange({ from, to }, now, zone) ?? { from: now - 3_600_000, to: now };
  }, [from, to, zone, tick]);
  const now = useCallback(() => setTick((t) => t + 1), []);

  useEffect(() => {
    const every = parseDuration(refresh);
    if (refresh === '' || every === undefined || every < 1_000) return;
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible' && !busy()) now();
    }, every);
    return () => clearInterval(timer);
  }, [refresh, busy, now]);

  const value = useMemo<PageTime>(
    () => ({
      raw: { from, to },
      range,
      zone,
      refresh,
      tick,
      now,
      setRange: (raw) => setUrl({ from: raw.from, to: raw.to }),
      // Where the board refreshes by itself, the address must be able to say that this one does not.
      setRefresh: (every) =>
        setUrl({ refresh: every === defaultRefresh ? undefined : every }, true),
      setZone: (next) => setUrl({ timezone: next }, true),
    }),
    [from, to, range, zone, refresh, defaultRefresh, tick, now, setUrl],
  );
  return <Context value={value}>{children}</Context>;
}

export function usePageTime(): PageTime {
  const time = useContext(Context);
  if (time === undefined) throw new Error('BUG: no TimeProvider above');
  return time;
}
