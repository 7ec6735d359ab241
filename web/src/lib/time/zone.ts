/**
 * Which clock a page reads: the browser's own, UTC, or that of a place such as `Europe/Berlin`.
 *
 * The browser knows the rules of all places; a clock there is what its `Intl` says.
 */

/** `browser`, `utc`, or the name of a place. */
export type Zone = string;

export type Clock = {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
};

const formats = new Map<Zone, Intl.DateTimeFormat>();

function formatOf(zone: Zone): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(zone, format);
  }
  return format;
}

/** What a clock in the zone shows at an instant. */
export function clockIn(ms: number, zone: Zone): Clock {
  const at = new Date(ms);
  if (zone === 'browser')
    return {
      year: at.getFullYear(),
      month: at.getMonth() + 1,
      day: at.getDate(),
      hour: at.getHours(),
      minute: at.getMinutes(),
      second: at.getSeconds(),
    };
  if (zone === 'utc')
    return {
      year: at.getUTCFullYear(),
      month: at.getUTCMonth() + 1,
      day: at.getUTCDate(),
      hour: at.getUTCHours(),
      minute: at.getUTCMinutes(),
      second: at.getUTCSeconds(),
    };
  const found: Record<string, number> = {};
  for (const { type, value } of formatOf(zone).formatToParts(at)) found[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = found;
  return { year, month, day, hour, minute, second };
}

/** How far the zone's clock is ahead of UTC at an instant. */
export function offsetOf(ms: number, zone: Zone): number {
  if (zone === 'utc') return 0;
  const { year, month, day, hour, minute, second } = clockIn(ms, zone);
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(ms / 1_000) * 1_000;
}

/**
 * The instant at which the zone's clock shows what UTC's clock shows at `wall`. Of an hour that a
 * change of the clock repeats it is the first one; an hour that is left out is moved by the change.
 */
export function instantOf(wall: number, zone: Zone): number {
  const before = offsetOf(wall - 86_400_000, zone);
  const after = offsetOf(wall + 86_400_000, zone);
  const fits = [before, after].find((offset) => offsetOf(wall - offset, zone) === offset);
  return wall - (fits ?? before);
}

/** What `Intl` calls the zone; nothing for the browser's own. */
export function intlZone(zone: Zone): string | undefined {
  return zone === 'browser' ? undefined : zone === 'utc' ? 'UTC' : zone;
}

/** The zone of a name in a file or an address; the browser's own for what is none. */
export function zoneOf(name: string | undefined | null): Zone {
  if (name === undefined || name === null || name === '' || name === 'browser') return 'browser';
  if (/^(utc|etc\/utc|gmt|z)$/i.test(name)) return 'utc';
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return 'browser';
  }
}
