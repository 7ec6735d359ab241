/** Days, weeks, months: moving along the calendar and finding where a unit begins. */

import { clockIn, instantOf, type Zone } from './zone';

export type { Zone } from './zone';

const FIXED: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

type Parts = { year: number; month: number; day: number; ms: number };

function split(at: number, zone: Zone): Parts {
  const { year, month, day, hour, minute, second } = clockIn(at, zone);
  const milli = ((at % 1_000) + 1_000) % 1_000;
  return { year, month: month - 1, day, ms: ((hour * 60 + minute) * 60 + second) * 1_000 + milli };
}

/** Time of day is set apart from the date, so that a day with a changed clock keeps its hours. */
function join({ year, month, day, ms }: Parts, zone: Zone): number {
  return instantOf(Date.UTC(year, month, day) + ms, zone);
}

/** Moves by `count` units; a month keeps the day of the month where it exists, else its last. */
export function addCalendar(at: number, count: number, unit: string, zone: Zone): number {
  const fixed = FIXED[unit];
  if (fixed !== undefined) return at + count * fixed;
  const parts = split(at, zone);
  switch (unit) {
    case 'd':
      return join({ ...parts, day: parts.day + count }, zone);
    case 'w':
      return join({ ...parts, day: parts.day + 7 * count }, zone);
    case 'M':
    case 'Q':
    case 'y': {
      const months = unit === 'M' ? count : unit === 'Q' ? 3 * count : 12 * count;
      const first = new Date(Date.UTC(parts.year, parts.month + months, 1));
      const [year, month] = [first.getUTCFullYear(), first.getUTCMonth()];
      const last = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
      return join({ ...parts, year, month, day: Math.min(parts.day, last) }, zone);
    }
    default:
      return at;
  }
}

/** The first millisecond of the unit that holds `at`; weeks begin on Sunday, as in Grafana. */
export function startOf(at: number, unit: string, zone: Zone): number {
  const parts = split(at, zone);
  switch (unit) {
    case 's':
    case 'm':
    case 'h': {
      const length = FIXED[unit] ?? 1;
      return at - (parts.ms % length);
    }
    case 'd':
      return join({ ...parts, ms: 0 }, zone);
    case 'w': {
      const weekday = new Date(Date.UTC(parts.year, parts.month, parts.day)).getUTCDay();
      return join({ ...parts, day: parts.day - weekday, ms: 0 }, zone);
    }
    case 'M':
      return join({ ...parts, day: 1, ms: 0 }, zone);
    case 'Q':
      return join({ ...parts, month: Math.floor(parts.month / 3) * 3, day: 1, ms: 0 }, zone);
    case 'y':
      return join({ ...parts, month: 0, day: 1, ms: 0 }, zone);
    default:
      return at;
  }
}
