import { expect, it } from 'vitest';
import { addCalendar, startOf } from './calendar';
import { parseInstant } from './relative';
import { clockIn, instantOf, offsetOf, zoneOf } from './zone';

const BERLIN = 'Europe/Berlin';
const utc = (text: string) => Date.parse(`${text}Z`);

it('reads the clock of a place, in summer and in winter', () => {
  expect(clockIn(utc('2026-07-01T22:30:05'), BERLIN)).toMatchObject({ day: 2, hour: 0, second: 5 });
  expect(offsetOf(utc('2026-01-01T00:00'), BERLIN)).toBe(3_600_000);
  expect(offsetOf(utc('2026-07-01T00:00'), 'Asia/Kolkata')).toBe(5.5 * 3_600_000);
});

it('finds the instant of what a clock shows, also where the clock is changed', () => {
  expect(instantOf(utc('2026-07-01T12:00'), BERLIN)).toBe(utc('2026-07-01T10:00'));
  // 2026-10-25: 02:30 comes twice; 2026-03-29: it does not come.
  expect(instantOf(utc('2026-10-25T02:30'), BERLIN)).toBe(utc('2026-10-25T00:30'));
  expect(instantOf(utc('2026-03-29T02:30'), BERLIN)).toBe(utc('2026-03-29T01:30'));
});

it('cuts days and moves months by that clock', () => {
  const at = utc('2026-07-01T22:30');
  expect(startOf(at, 'd', BERLIN)).toBe(utc('2026-07-01T22:00'));
  expect(startOf(at, 'h', 'Asia/Kolkata')).toBe(utc('2026-07-01T21:30') + 3_600_000);
  expect(addCalendar(utc('2026-10-24T22:00'), 1, 'd', BERLIN)).toBe(utc('2026-10-25T23:00'));
  expect(parseInstant('2026-07-01 12:00', 0, BERLIN)).toBe(utc('2026-07-01T10:00'));
});

it('takes names as files and addresses have them', () => {
  expect([zoneOf('UTC'), zoneOf(''), zoneOf(null), zoneOf('Nowhere/Here')]).toEqual([
    'utc',
    'browser',
    'browser',
    'browser',
  ]);
  expect(zoneOf('europe/berlin')).toBe(BERLIN);
});
