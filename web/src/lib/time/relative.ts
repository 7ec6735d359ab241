/**
 * Instants as Grafana's URLs write them: `now`, `now-6h`, `now-1d/d`, `now/w`, epoch milliseconds,
 * ISO dates.
 *
 * Pure: what `now` is and which time zone cuts days are arguments.
 */

import { addCalendar, startOf, type Zone } from './calendar';
import { instantOf } from './zone';

export type TimeRange = { readonly from: number; readonly to: number };

/** A range as the user chose it: it moves with `now`, or stands still. */
export type RawRange = { readonly from: string; readonly to: string };

const STEP = /^([+-]\d*|\/)(ms|[smhdwMQy]|fQ|fy)/;

/**
 * The instant that `text` means, in milliseconds; nothing if it means none.
 *
 * With `roundUp`, `/d` is the last millisecond of the unit instead of its first, as Grafana does for
 * the end of a range.
 */
export function parseInstant(
  text: string,
  now: number,
  zone: Zone,
  roundUp = false,
): number | undefined {
  const trimmed = text.trim();
  if (/^-?\d+$/.test(trimmed)) return known(Number(trimmed));
  if (!trimmed.startsWith('now')) return parseDate(trimmed, zone);
  let at = now;
  let rest = trimmed.slice(3);
  while (rest !== '') {
    const step = STEP.exec(rest);
    if (step === null) return undefined;
    const [whole, sign, rawUnit] = step as unknown as [string, string, string];
    const unit = rawUnit === 'fQ' ? 'Q' : rawUnit === 'fy' ? 'y' : rawUnit;
    if (sign === '/') {
      at = startOf(at, unit, zone);
      if (roundUp) at = addCalendar(at, 1, unit, zone) - 1;
    } else {
      const count = sign.length === 1 ? 1 : Number(sign.slice(1));
      at = addCalendar(at, sign.startsWith('-') ? -count : count, unit, zone);
    }
    rest = rest.slice(whole.length);
  }
  return known(at);
}

/** Nothing for what no calendar reaches. */
function known(ms: number): number | undefined {
  return Number.isNaN(new Date(ms).getTime()) ? undefined : ms;
}

/** The range that `raw` means now; nothing if either end means nothing or they are reversed. */
export function resolveRange(raw: RawRange, now: number, zone: Zone): TimeRange | undefined {
  const from = parseInstant(raw.from, now, zone, false);
  const to = parseInstant(raw.to, now, zone, true);
  if (from === undefined || to === undefined || from >= to) return undefined;
  return { from, to };
}

/** Whether the range moves as time passes. */
export function isLive(raw: RawRange): boolean {
  return raw.to.startsWith('now');
}

/** `2026-09-01`, `2026-09-01 10:00`, `2026-09-01T10:00:00Z`: without an offset in the given zone. */
function parseDate(text: string, zone: Zone): number | undefined {
  const parts =
    /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?(Z|[+-]\d\d:\d\d)?$/.exec(
      text,
    );
  if (parts === null) return undefined;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', offset] = parts;
  const ms = Number(fraction.padEnd(3, '0').slice(0, 3) || 0);
  const utc = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
    ms,
  );
  if (Number.isNaN(utc)) return undefined;
  if (offset === 'Z') return utc;
  if (offset !== undefined) {
    const sign = offset.startsWith('-') ? -1 : 1;
    const [hours, minutes] = offset.slice(1).split(':').map(Number) as [number, number];
    return utc - sign * (hours * 60 + minutes) * 60_000;
  }
  return instantOf(utc, zone);
}
