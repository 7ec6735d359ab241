/** Round places for the marks of an axis. */

import { clockIn, type Zone } from './time/zone';

/** Multiples of 1, 2 or 5 times a power of ten between both ends, about as many as asked for. */
export function ticks(low: number, high: number, count: number): readonly number[] {
  if (!(high > low) || count < 1 || !Number.isFinite(high - low)) return [low];
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5, 10].find((m) => m * power >= raw) ?? 10) * power;
  const first = Math.ceil(low / step - 1e-9);
  const places: number[] = [];
  for (let at = first; at * step <= high + step * 1e-9 && places.length < 100; at += 1) {
    // Through text, so that 3 × 0.1 is 0.3; adding zero makes -0 a 0.
    places.push(Number((at * step).toPrecision(12)) + 0);
  }
  return places;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const SPANS = [
  1_000,
  5_000,
  15_000,
  30_000,
  MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
  7 * DAY,
  30 * DAY,
];

/** Whole seconds, minutes, hours or days within a range, of the zone that is `offset` from UTC. */
export function timeTicks(
  from: number,
  to: number,
  count: number,
  offset: number,
): readonly number[] {
  const span = SPANS.find((s) => (to - from) / s <= count) ?? 365 * DAY;
  const places: number[] = [];
  for (let at = Math.ceil((from + offset) / span) * span; at - offset <= to; at += span) {
    places.push(at - offset);
    if (places.length > 200) break;
  }
  return places;
}

/** What stands at a mark of time: seconds, minutes or days, by the distance of two marks. */
export function timeMark(ms: number, step: number, zone: Zone): string {
  const { year, month, day, hour, minute, second } = clockIn(ms, zone);
  const two = (value: number) => String(value).padStart(2, '0');
  if (step < MINUTE) return `${two(hour)}:${two(minute)}:${two(second)}`;
  if (step < DAY && (hour !== 0 || minute !== 0)) return `${two(hour)}:${two(minute)}`;
  if (step < 28 * DAY) return `${two(month)}-${two(day)}`;
  return `${year}-${two(month)}`;
}
