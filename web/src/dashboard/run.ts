/**
 * From a panel to its frames: the queries with variables written in, asked, put into tables where
 * asked, transformed, with field options. What asks is passed in, so that this is tested without a
 * server.
 */

import type { Answer } from '../api/prometheus';
import { type Field, type Frame, field, frame } from '../frame/frame';
import type { Zone } from '../lib/time/calendar';
import { parseDuration } from '../lib/time/duration';
import { parseInstant, type TimeRange } from '../lib/time/relative';
import { applyOptions } from './fields/apply';
import type { Panel, Target } from './schema/model';
import { transform } from './transform/transform';
import { type Builtin, builtinValue, intervalMs, minimumInterval } from './variables/builtin';
import type { Language } from './variables/format';
import { interpolate, type Written } from './variables/interpolate';

/** The values of all variables, for one panel. */
export type Values = (name: string) => Written | undefined;

export type Environment = {
  readonly range: TimeRange;
  readonly zone: Zone;
  readonly values: Values;
  /** Points that fit the panel's width. */
  readonly points: number;
  readonly scrapeMs: number;
};

/** One request, ready to be sent. */
export type Request = {
  readonly refId: string;
  readonly kind: 'prometheus' | 'loki';
  readonly expr: string;
  readonly legend: string | undefined;
  readonly instant: boolean;
  readonly range: TimeRange;
  readonly stepMs: number;
  readonly format: Target['format'];
  readonly limit: number | undefined;
  readonly direction: 'backward' | 'forward' | undefined;
};

export type Plan = { readonly requests: readonly Request[]; readonly range: TimeRange };

/** Writes a text for people: variables as they are, built-in ones too. */
export function writeText(template: string, environment: Environment, stepMs = 60_000): string {
  return write(template, environment, builtin(environment, environment.range, stepMs), 'none');
}

function builtin(environment: Environment, range: TimeRange, stepMs: number): Builtin {
  return { range, intervalMs: stepMs, scrapeMs: environment.scrapeMs, zone: environment.zone };
}

function write(
  template: string,
  environment: Environment,
  of: Builtin,
  language: Language,
): string {
  const lookup = (name: string) => {
    const known = builtinValue(name, of);
    if (known !== undefined) return { value: known, text: [known] };
    if (name.startsWith('__auto_interval')) {
      const value = builtinValue('__interval', of) ?? '';
      return { value, text: [value] };
    }
    return environment.values(name);
  };
  const once = interpolate(template, { lookup }, language);
  // An interval variable that is set to `auto` stands for a built-in one.
  return once.includes('$__auto_interval') ? interpolate(once, { lookup }, language) : once;
}

/** Writes variables into an expression that belongs to no panel. */
export function writeQuery(
  expr: string,
  environment: Environment,
  stepMs: number,
  language: Language,
): string {
  return write(expr, environment, builtin(environment, environment.range, stepMs), language);
}

/** The requests of a panel; of its own range if it has one. */
export function plan(panel: Panel, environment: Environment): Plan {
  const range = panelRange(panel, environment);
  const requests = panel.targets
    .filter((t) => !t.hide && t.expr.trim() !== '')
    .flatMap((target): Request[] => {
      const kind = target.source.kind;
      if (kind !== 'prometheus' && kind !== 'loki') return [];
      const points = panel.maxDataPoints ?? environment.points;
      const minimum = minimumInterval(
        writeText(target.interval ?? panel.interval ?? '', environment),
      );
      const stepMs = intervalMs(
        range,
        points,
        Math.max(minimum ?? 0, kind === 'prometheus' ? environment.scrapeMs : 1_000),
      );
      const of = builtin(environment, range, stepMs);
      const expr = write(target.expr, environment, of, kind);
      const legend =
        target.legend === undefined ? undefined : write(target.legend, environment, of, 'none');
      const one = {
        refId: target.refId,
        kind,
        expr,
        legend,
        range,
        stepMs,
        format: target.format,
        limit: target.maxLines,
        direction: target.direction,
      };
      // A target may ask for both, which are two requests.
      const asks: boolean[] = [...(target.range ? [false] : []), ...(target.instant ? [true] : [])];
      return (asks.length === 0 ? [false] : asks).map((instant) => ({ ...one, instant }));
    });
  return { requests, range };
}

/** `timeFrom` and `timeShift` of a panel replace and move the range of the board. */
export function panelRange(panel: Panel, { range, zone, values }: Environment): TimeRange {
  const text = (of: string | undefined) =>
    of === undefined ? '' : interpolate(of, { lookup: values });
  let { from, to } = range;
  const last = text(panel.timeFrom);
  if (last !== '') {
    const now = range.to;
    const start = last.startsWith('now')
      ? parseInstant(last, now, zone)
      : parseInstant(`now-${last}`, now, zone);
    if (start !== undefined && start < to) from = start;
  }
  const shift = parseDuration(text(panel.timeShift).replace(/^[-+]/, ''));
  if (shift !== undefined) [from, to] = [from - shift, to - shift];
  return { from, to };
}

/** Panels of single values: they show what stands for no value also where there is no series. */
const ONE_VALUE: ReadonlySet<string> = new Set(['stat', 'gauge', 'bargauge']);

/** What the requests answered, as the panel draws it. */
export function shape(
  panel: Panel,
  answers: readonly { request: Request; answer: Answer }[],
): readonly Frame[] {
  const several = new Set(answers.map(({ request }) => request.refId)).size > 1;
  const frames = answers.flatMap(({ request, answer }) => {
    const table =
      request.format === 'table' ||
      (request.instant && request.kind === 'prometheus' && panel.type === 'table');
    if (table) return toTable(answer.frames, request.refId, several);
    if (request.format === 'heatmap') return sortBuckets(answer.frames);
    return answer.frames;
  });
  const shown = transform(frames, panel.transformations);
  const nothing = answers.length > 0 && shown.every((f) => f.length === 0);
  return applyOptions(
    nothing && panel.defaults.noValue !== undefined && ONE_VALUE.has(panel.type)
      ? [frame([field('', 'number', [null])])]
      : shown,
    panel.defaults,
    panel.overrides,
  );
}

/** One table of an answer: time, a column for each label, the value, as Grafana's table format. */
export function toTable(
  frames: readonly Frame[],
  refId: string,
  several: boolean,
): readonly Frame[] {
  const rows = frames.flatMap((f) => {
    const time = f.fields.find((x) => x.type === 'time');
    const value = f.fields.find((x) => x !== time);
    return value === undefined
      ? []
      : value.values.map((v, at) => ({
          time: time?.values[at] ?? null,
          labels: value.labels ?? {},
          value: v,
        }));
  });
  if (rows.length === 0) return [];
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.labels)))].sort();
  const fields: Field[] = [
    field(
      'Time',
      'time',
      rows.map((row) => row.time),
    ),
    ...names.map((name) =>
      field(
        name,
        'string',
        rows.map((row) => row.labels[name] ?? null),
      ),
    ),
    field(
      several ? `Value #${refId}` : 'Value',
      'number',
      rows.map((row) => row.value),
    ),
  ];
  return [frame(fields, { refId })];
}

/** Classic buckets in the order of their bounds, each less the one below it. */
export function sortBuckets(frames: readonly Frame[]): readonly Frame[] {
  const bound = (f: Frame) => {
    const le = f.fields[1]?.labels?.le ?? f.fields[1]?.config.displayName ?? '';
    return le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le);
  };
  if (frames.some((f) => Number.isNaN(bound(f)) || f.fields[1]?.type !== 'number')) return frames;
  const sorted = [...frames].sort((a, b) => bound(a) - bound(b));
  return sorted.map((f, at) => {
    const [time, value] = f.fields;
    const below = sorted[at - 1];
    if (below === undefined || time === undefined || value === undefined) return f;
    const before = new Map(
      below.fields[0]?.values.map((t, i) => [t, below.fields[1]?.values[i] as number]),
    );
    const values = value.values.map((v, i) =>
      Math.max((v as number) - (before.get(time.values[i]) ?? 0), 0),
    );
    return { ...f, fields: [time, { ...value, values }] };
  });
}
