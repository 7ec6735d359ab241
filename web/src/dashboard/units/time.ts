/** Lengths and instants of time, as Grafana shows them. */

import { clockIn, intlZone, type Zone } from '../../lib/time/zone';
import { type Formatted, type Formatter, fixed } from './format';

const STEPS: readonly (readonly [seconds: number, one: string, many: string])[] = [
  [31_536_000, ' year', ' years'],
  [604_800, ' week', ' weeks'],
  [86_400, ' day', ' days'],
  [3_600, ' hour', ' hours'],
  [60, ' min', ' mins'],
  [1, ' s', ' s'],
  [1e-3, ' ms', ' ms'],
  [1e-6, ' µs', ' µs'],
  [1e-9, ' ns', ' ns'],
];

/** A length that is counted in `unit` seconds, in the largest unit that it fills: `1.5 mins`. */
export function lengthIn(unit: number): Formatter {
  return (value, decimals) => {
    if (value === 0)
      return { text: '0', suffix: STEPS.find(([size]) => size <= unit)?.[1] ?? ' s' };
    if (!Number.isFinite(value)) return { text: fixed(value) };
    const seconds = value * unit;
    const absolute = Math.abs(seconds);
    const [size, one, many] = STEPS.find(([s]) => absolute >= s * (1 - 1e-12)) ?? [
      1e-9,
      ' ns',
      ' ns',
    ];
    const text = fixed(seconds / size, decimals);
    return { text, suffix: text === '1' ? one : many };
  };
}

/** `1:02:03` or `00:01:02:03` with days. */
export function clock(unit: number, days: boolean): Formatter {
  return (value) => {
    if (!Number.isFinite(value)) return { text: fixed(value) };
    const seconds = Math.floor(Math.abs(value * unit));
    const two = (n: number) => String(Math.floor(n)).padStart(2, '0');
    const hours = days ? (seconds % 86_400) / 3_600 : seconds / 3_600;
    const text = `${two(hours)}:${two((seconds % 3_600) / 60)}:${two(seconds % 60)}`;
    return {
      text: `${value < 0 ? '-' : ''}${days && seconds >= 86_400 ? `${Math.floor(seconds / 86_400)} d ` : ''}${text}`,
    };
  };
}

/** `2 hours, 30 minutes`: the two largest units. */
export function inWords(unit: number): Formatter {
  const names: readonly (readonly [number, string])[] = [
    [31_536_000, 'year'],
    [2_592_000, 'month'],
    [604_800, 'week'],
    [86_400, 'day'],
    [3_600, 'hour'],
    [60, 'minute'],
    [1, 'second'],
    [0.001, 'millisecond'],
  ];
  return (value, decimals) => {
    let rest = Math.abs(value * unit);
    if (!(rest >= 0.001) || rest === Number.POSITIVE_INFINITY)
      return { text: `${fixed(value, 0)} seconds` };
    const parts: string[] = [];
    const most = (decimals ?? 0) + 1;
    for (const [size, name] of names) {
      const count = Math.floor(rest / size + 1e-9);
      if (count === 0 && parts.length === 0) continue;
      if (parts.length === most) break;
      parts.push(`${count} ${name}${count === 1 ? '' : 's'}`);
      rest -= count * size;
    }
    return { text: `${value < 0 ? '-' : ''}${parts.join(', ')}` };
  };
}

/** Instants in milliseconds since 1970, by the clock of a zone. */
export function instant(
  kind: 'iso' | 'us' | 'local' | 'fromNow',
  zone: Zone,
  noToday = false,
): Formatter {
  return (ms): Formatted => {
    if (!Number.isFinite(ms)) return { text: 'Invalid date' };
    if (kind === 'fromNow') return { text: fromNow(ms, Date.now()) };
    const p = clockIn(ms, zone);
    const today = clockIn(Date.now(), zone);
    const sameDay = p.year === today.year && p.month === today.month && p.day === today.day;
    const two = (n: number) => String(n).padStart(2, '0');
    const time = `${two(p.hour)}:${two(p.minute)}:${two(p.second)}`;
    if (kind === 'us') {
      const clock12 = `${p.hour % 12 === 0 ? 12 : p.hour % 12}:${two(p.minute)}:${two(p.second)} ${p.hour < 12 ? 'am' : 'pm'}`;
      if (noToday && sameDay) return { text: clock12 };
      return { text: `${two(p.month)}/${two(p.day)}/${p.year} ${clock12}` };
    }
    if (kind === 'local') {
      return { text: new Date(ms).toLocaleString(undefined, { timeZone: intlZone(zone) }) };
    }
    if (noToday && sameDay) return { text: time };
    return { text: `${p.year}-${two(p.month)}-${two(p.day)} ${time}` };
  };
}

/** `5 minutes ago`, `in 2 hours`. */
export function fromNow(ms: number, now: number): string {
  const seconds = Math.round((ms - now) / 1_000);
  const absolute = Math.abs(seconds);
  const [count, name] =
    absolute < 45
      ? [0, 'a few seconds']
      : absolute < 2_700
        ? [Math.round(absolute / 60), 'minute']
        : absolute < 79_200
          ? [Math.round(absolute / 3_600), 'hour']
          : absolute < 2_246_400
            ? [Math.round(absolute / 86_400), 'day']
            : absolute < 27_648_000
              ? [Math.round(absolute / 2_592_000), 'month']
              : [Math.round(absolute / 31_536_000), 'year'];
  const text =
    count === 0
      ? name
      : count === 1
        ? `${name === 'hour' ? 'an' : 'a'} ${name}`
        : `${count} ${name}s`;
  return seconds <= 0 ? `${text} ago` : `in ${text}`;
}
