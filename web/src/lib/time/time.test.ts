import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration, roundInterval } from './duration';
import { isLive, parseInstant, resolveRange } from './relative';

describe('durations', () => {
  it('are read in every unit, and not otherwise', () => {
    const rows: [string, number | undefined][] = [
      ['5m', 300_000],
      ['1h30m', 5_400_000],
      ['500ms', 500],
      ['1d', 86_400_000],
      ['2w', 1_209_600_000],
      ['15', 15_000],
      ['0.5s', 500],
      ['', undefined],
      ['5 m', undefined],
      ['5x', undefined],
      ['m', undefined],
    ];
    for (const [text, want] of rows) expect(parseDuration(text), text).toBe(want);
  });

  it('are written in the shortest exact form', () => {
    for (const [ms, want] of [
      [0, '0s'],
      [90_000, '1m30s'],
      [86_400_000, '1d'],
      [1_500, '1s500ms'],
      [-60_000, '-1m'],
    ] as const)
      expect(formatDuration(ms)).toBe(want);
  });

  it('are rounded to steps that read well', () => {
    for (const [ms, want] of [
      [3, 1],
      [14, 10],
      [12_000, 10_000],
      [16_000, 15_000],
      [89_000, 30_000 * 2],
      [4_000_000, 3_600_000],
      [1e12, 31_536_000_000],
    ] as const)
      expect(roundInterval(ms), String(ms)).toBe(want);
  });
});

describe('instants', () => {
  const now = Date.UTC(2026, 8, 16, 10, 30, 15, 500); // A Wednesday.
  const utc = (text: string, up = false) => {
    const at = parseInstant(text, now, 'utc', up);
    return at === undefined ? undefined : new Date(at).toISOString();
  };

  it('follow now, step by step', () => {
    expect(utc('now')).toBe('2026-09-16T10:30:15.500Z');
    expect(utc('now-6h')).toBe('2026-09-16T04:30:15.500Z');
    expect(utc('now-1M')).toBe('2026-08-16T10:30:15.500Z');
    expect(utc('now-1d/d')).toBe('2026-09-15T00:00:00.000Z');
    expect(utc('now-1d/d', true)).toBe('2026-09-15T23:59:59.999Z');
    expect(utc('now/w')).toBe('2026-09-13T00:00:00.000Z');
    expect(utc('now/h+5m')).toBe('2026-09-16T10:05:00.000Z');
    expect(utc('now/fQ')).toBe('2026-07-01T00:00:00.000Z');
    expect(utc('now/y', true)).toBe('2026-12-31T23:59:59.999Z');
    expect(utc('now-h')).toBe('2026-09-16T09:30:15.500Z');
  });

  it('keep the last day of a shorter month', () => {
    const march = Date.UTC(2026, 2, 31);
    expect(parseInstant('now-1M', march, 'utc')).toBe(Date.UTC(2026, 1, 28));
  });

  it('are dates and epoch milliseconds too', () => {
    expect(utc('1789000000000')).toBe(new Date(1_789_000_000_000).toISOString());
    expect(utc('2026-09-01')).toBe('2026-09-01T00:00:00.000Z');
    expect(utc('2026-09-01 10:20')).toBe('2026-09-01T10:20:00.000Z');
    expect(utc('2026-09-01T10:20:30.25+02:00')).toBe('2026-09-01T08:20:30.250Z');
  });

  it('are nothing when they mean nothing', () => {
    for (const text of [
      '',
      'soon',
      'now-',
      'now-6x',
      'now/',
      '2026-9-1',
      '99999999999999999',
      'now-999999y',
    ])
      expect(utc(text), text).toBeUndefined();
  });

  it('make a range only in the right order', () => {
    expect(resolveRange({ from: 'now-1h', to: 'now' }, now, 'utc')).toEqual({
      from: now - 3_600_000,
      to: now,
    });
    expect(resolveRange({ from: 'now', to: 'now-1h' }, now, 'utc')).toBeUndefined();
    expect(isLive({ from: 'now-1h', to: 'now' })).toBe(true);
    expect(isLive({ from: '1', to: '2' })).toBe(false);
  });
});
