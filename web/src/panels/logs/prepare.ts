/** From frames to the lines of a log: text as it came, level, fields, order. Pure. */

import type { LogLine } from '../../api/loki';
import type { Field, Frame, Labels } from '../../frame/frame';
import { isObject } from '../../lib/json';

export type Level = 'critical' | 'error' | 'warning' | 'info' | 'debug' | 'trace' | 'unknown';

export type LogRow = {
  readonly key: string;
  readonly ms: number;
  readonly line: string;
  readonly level: Level;
  readonly labels: Labels;
  /** The line as the server sent it, where it did. */
  readonly source?: LogLine;
  /** What stands for the line in the list, when it is not the line itself. */
  readonly shown?: string;
};

/** Rows by their place: an array of them, or lines that become rows when they are looked at. */
export type Rows = {
  readonly length: number;
  readonly at: (place: number) => LogRow | undefined;
};

/** The row of a line. */
export function rowOf(line: LogLine, key: string): LogRow {
  const labels = labelsOf(line);
  return {
    key,
    ms: line.ms,
    line: line.line,
    level: levelOfLine(line.line, labels),
    labels,
    source: line,
  };
}

/** Labels of lines that share their stream and their metadata, and have nothing else. */
const LAID: WeakMap<Labels, WeakMap<Labels, Labels>> = new WeakMap();

/** All labels of a line, laid over each other; one object for lines that have the same. */
export function labelsOf({ stream, metadata, parsed }: LogLine): Labels {
  if (Object.keys(parsed).length > 0) return { ...stream, ...metadata, ...parsed };
  if (Object.keys(metadata).length === 0) return stream;
  let of = LAID.get(stream);
  if (of === undefined) {
    of = new WeakMap();
    LAID.set(stream, of);
  }
  const known = of.get(metadata);
  if (known !== undefined) return known;
  const laid = { ...stream, ...metadata };
  of.set(metadata, laid);
  return laid;
}

export const LEVEL_COLORS: Readonly<Record<Level, string>> = {
  critical: '#B877D9',
  error: '#F2495C',
  warning: '#FF9830',
  info: '#73BF69',
  debug: '#5794F2',
  trace: '#6ED0E0',
  unknown: '#8E8E8E',
};

const WORDS: readonly (readonly [Level, RegExp])[] = [
  ['critical', /^(critical|crit|fatal|emerg|alert|panic)/i],
  ['error', /^(error|eror|err)/i],
  ['warning', /^warn/i],
  ['info', /^(info|information|notice)/i],
  ['debug', /^(debug|dbug)/i],
  ['trace', /^(trace|finest)/i],
];

export function levelOf(word: string): Level {
  return WORDS.find(([, pattern]) => pattern.test(word.trim()))?.[0] ?? 'unknown';
}

/** Only the start of a line is looked at: a level stands there, and lines can be megabytes. */
const HEAD = 1_000;

/** The level of a line: what its labels say, else the first word in it that is one. */
export function levelOfLine(line: string, labels: Labels): Level {
  for (const name of ['level', 'detected_level', 'severity', 'severity_text', 'lvl']) {
    const level = levelOf(labels[name] ?? '');
    if (level !== 'unknown') return level;
  }
  const head = line.slice(0, HEAD);
  const named = /\b(?:level|lvl|severity)"?\s*[=:]\s*"?([a-z]+)/i.exec(head)?.[1];
  if (named !== undefined && levelOf(named) !== 'unknown') return levelOf(named);
  const word = /\b(critical|fatal|error|warn(?:ing)?|info|debug|trace)\b/i.exec(head)?.[1];
  return word === undefined ? 'unknown' : levelOf(word);
}

/** Rows past this many are not shown; the query's own limit is lower in practice. */
const ROWS_MAX = 100_000;

export function prepareRows(frames: readonly Frame[], descending: boolean): readonly LogRow[] {
  const rows: LogRow[] = [];
  frames.forEach((frame, at) => {
    const time = frame.fields.find((f) => f.type === 'time');
    const line =
      frame.fields.find((f) => f.name === 'Line') ??
      frame.fields.find((f) => f.type === 'string' && f.name !== 'tsNs');
    if (time === undefined || line === undefined) return;
    const labels = frame.fields.find((f) => f.name === 'labels') as Field<Labels> | undefined;
    const exact = frame.fields.find((f) => f.name === 'tsNs');
    const parts = frame.fields.find((f) => f.name === 'parts') as Field<LogLine> | undefined;
    const ofInstant = new Map<unknown, number>();
    for (let row = 0; row < frame.length && rows.length < ROWS_MAX; row += 1) {
      const text = String(line.values[row] ?? '');
      const own = labels?.values[row] ?? line.labels ?? {};
      const source = parts?.values[row];
      const instant = exact?.values[row] ?? time.values[row];
      const before = ofInstant.get(instant) ?? 0;
      ofInstant.set(instant, before + 1);
      rows.push({
        // Not by its place, which is another when newer lines have come.
        key: `${instant}/${at}/${before}`,
        ms: Number(time.values[row]),
        line: text,
        level: levelOfLine(text, own),
        labels: own,
        ...(source === undefined ? {} : { source }),
      });
    }
  });
  const sign = descending ? -1 : 1;
  // Sorting is stable: lines of one instant stay as the server ordered them.
  return rows.sort((a, b) => sign * (a.ms - b.ms));
}

/** Digits and hex runs, and all letters, which near-equal lines differ in. */
const SAME: Readonly<Record<string, (line: string) => string>> = {
  exact: (line) => line,
  numbers: (line) => line.replace(/\d/g, ''),
  signature: (line) => line.replace(/\w/g, ''),
};

/** Keeps the first of neighbours that are alike. */
export function withoutRepeats(rows: readonly LogRow[], strategy: string): readonly LogRow[] {
  const same = SAME[strategy];
  if (same === undefined) return rows;
  let before: string | undefined;
  return rows.filter(({ line }) => {
    const now = same(line.replace(/\d{4}-\d\d-\d\d[T ][\d:.,]+Z?/g, ''));
    const repeated = now === before;
    before = now;
    return !repeated;
  });
}

/** Labels that every line has with one value. */
export function commonLabels(rows: readonly LogRow[]): Labels {
  const [first] = rows;
  if (first === undefined) return {};
  return Object.fromEntries(
    Object.entries(first.labels).filter(([name, value]) =>
      rows.every((row) => row.labels[name] === value),
    ),
  );
}

/** JSON over several lines; anything else as it is. */
export function pretty(line: string): string {
  if (line.length > 20_000 || !/^\s*[{[]/.test(line)) return line;
  try {
    return JSON.stringify(JSON.parse(line), null, 2);
  } catch {
    return line;
  }
}

/** The chosen fields of a line in place of the line, as a list of pairs. */
export function chosenFields(row: LogRow, names: readonly string[]): string {
  const details = detailsOf(row);
  return names
    .map((name) => `${name}=${details.find((d) => d.name === name)?.value ?? ''}`)
    .join(' ');
}

/** Where a field of an opened line comes from. */
export type Origin = 'stream' | 'metadata' | 'parsed' | 'line';

export type Detail = { readonly name: string; readonly value: string; readonly origin: Origin };

/** The origins of the details of a line, in order, each with its own. */
export function byOrigin(
  details: readonly Detail[],
): readonly (readonly [Origin, readonly Detail[]])[] {
  return ORIGINS.flatMap((origin) => {
    const own = details.filter((detail) => detail.origin === origin);
    return own.length === 0 ? [] : [[origin, own] as const];
  });
}

const ORIGINS: readonly Origin[] = ['stream', 'metadata', 'parsed', 'line'];

/** What an opened line shows: its labels, and the members of a line that is a JSON object. */
export function detailsOf(row: LogRow): readonly Detail[] {
  const { source, labels } = row;
  const origin = (name: string): Origin => {
    if (source === undefined) return 'stream';
    // As they are laid over each other in `labels`.
    return name in source.parsed ? 'parsed' : name in source.metadata ? 'metadata' : 'stream';
  };
  const details: Detail[] = Object.keys(labels)
    .sort()
    .map((name) => ({ name, value: labels[name] ?? '', origin: origin(name) }));
  if (row.line.length > 200_000 || !row.line.trimStart().startsWith('{')) return details;
  try {
    const parsed: unknown = JSON.parse(row.line);
    if (!isObject(parsed)) return details;
    for (const [name, value] of Object.entries(parsed).slice(0, 200)) {
      if (name in row.labels) continue;
      details.push({
        name,
        value: typeof value === 'string' ? value : JSON.stringify(value),
        origin: 'line',
      });
    }
  } catch {
    // Not JSON after all: the line itself is shown.
  }
  return details;
}

/** Characters of a line that are drawn before it is opened. */
const SHOWN = 2_000;

/** A line for the list: control characters made visible or removed, cut when it is very long. */
export function shownLine(line: string): string {
  const cut = line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line;
  return (
    cut
      // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal colours are what is removed.
      .replace(/\u001b\[[0-9;?]*[a-zA-Z]/g, '')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: made visible.
      .replace(/[\u0000-\u0008\u000b-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g, '\u00b7')
  );
}
