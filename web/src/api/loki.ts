/**
 * The logs half of the server, as frames.
 *
 * Times are nanoseconds in text there; a frame has them as milliseconds for the axis and as text,
 * exact, for links to one line. Labels of a line come in three groups because the server is asked
 * to tell them apart.
 */

import { type Frame, field, frame, type Labels } from '../frame/frame';
import type { DetectedFields, LogStream, LokiData } from './generated';
import { type Ask, ask, type Params } from './http';
import { type Answer, toFrames } from './prometheus';

type Streams = Extract<LokiData, { resultType: 'streams' }>;

/** One line of a log with all that is known of it. */
export type LogLine = {
  readonly ns: string;
  readonly ms: number;
  readonly line: string;
  readonly stream: Labels;
  readonly metadata: Labels;
  readonly parsed: Labels;
};

const CATEGORIZE = { 'x-loki-response-encoding-flags': 'categorize-labels' };

export type LogQuery = {
  readonly expr: string;
  readonly from: number;
  readonly to: number;
  readonly stepMs: number;
  readonly limit?: number;
  readonly direction?: 'backward' | 'forward';
  readonly refId?: string;
  readonly legend?: string;
};

export async function queryRange(query: LogQuery, how: Ask = {}): Promise<Answer> {
  const params: Params = {
    query: query.expr,
    start: nanos(query.from),
    end: nanos(query.to),
    step: `${Math.max(Math.round(query.stepMs), 1)}ms`,
    limit: query.limit,
    direction: query.direction,
  };
  return shape(
    await ask('/loki/api/v1/query_range', params, { ...how, headers: CATEGORIZE }),
    query,
  );
}

/** Lines between two instants in nanoseconds, the end not among them. */
export async function queryLines(
  query: {
    expr: string;
    start: string;
    end: string;
    limit: number;
    direction: 'backward' | 'forward';
  },
  how: Ask = {},
): Promise<readonly LogLine[]> {
  const { expr, ...bounds } = query;
  const response = await ask(
    '/loki/api/v1/query_range',
    { query: expr, ...bounds },
    { signal: how.signal, headers: CATEGORIZE },
  );
  const { data } = (await response.json()) as { data: LokiData };
  return data.resultType === 'streams' ? toLines(data) : [];
}

export async function queryInstant(
  query: { expr: string; at: number; refId?: string; legend?: string },
  how: Ask = {},
): Promise<Answer> {
  const params = { query: query.expr, time: nanos(query.at) };
  return shape(await ask('/loki/api/v1/query', params, how), query);
}

async function shape(
  response: Response,
  query: { refId?: string; legend?: string },
): Promise<Answer> {
  const raw = (await response.json()) as { data: LokiData };
  const frames =
    raw.data.resultType === 'streams'
      ? [toLogFrame(toLines(raw.data), query)]
      : toFrames(raw.data, query);
  return { frames, notices: [], raw };
}

/** Lines of all streams, newest first; lines of one instant keep their order. */
export function toLines(data: Streams): LogLine[] {
  return linesOf(data.result).sort((a, b) => compareNanos(b.ns, a.ns));
}

/** Lines stream by stream, as they came. */
export function linesOf(streams: readonly LogStream[]): LogLine[] {
  return streams.flatMap(({ stream, values }) => {
    const share = sharing();
    return values.map(([ns, line, parts]) => ({
      ns,
      ms: Number(ns.slice(0, -6)),
      line,
      stream,
      metadata: share(parts?.structuredMetadata),
      parsed: share(parts?.parsed),
    }));
  });
}

const NO_LABELS: Labels = {};
/** More different ones than this, such as request ids, are not worth remembering. */
const SHARED_MAX = 200;

/** Equal small sets of labels become one object: a million lines have few of them. */
function sharing(): (labels: Labels | undefined) => Labels {
  const known = new Map<string, Labels>();
  return (labels) => {
    if (labels === undefined) return NO_LABELS;
    const key = JSON.stringify(labels);
    if (key === '{}') return NO_LABELS;
    const shared = known.get(key);
    if (shared !== undefined) return shared;
    if (known.size < SHARED_MAX) known.set(key, labels);
    return labels;
  };
}

export function toLogFrame(lines: readonly LogLine[], query: { refId?: string }): Frame {
  return frame(
    [
      field(
        'Time',
        'time',
        lines.map((l) => l.ms),
      ),
      field(
        'Line',
        'string',
        lines.map((l) => l.line),
      ),
      field(
        'labels',
        'other',
        lines.map((l): Labels => ({ ...l.stream, ...l.metadata, ...l.parsed })),
      ),
      field(
        'tsNs',
        'string',
        lines.map((l) => l.ns),
      ),
      field('parts', 'other', lines),
    ],
    { refId: query.refId },
  );
}

/** Compares nanoseconds in text, which do not fit a number. */
export function compareNanos(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

export function nanos(ms: number): string {
  return `${Math.floor(ms)}000000`;
}

async function data<T>(path: string, params: Params, how: Ask): Promise<T | undefined> {
  const response = await ask(`/loki/api/v1/${path}`, params, how);
  return ((await response.json()) as { data?: T }).data;
}

export async function labelNames(params: Params, how: Ask = {}): Promise<readonly string[]> {
  return (await data<readonly string[]>('labels', params, how)) ?? [];
}

export async function labelValues(
  label: string,
  params: Params,
  how: Ask = {},
): Promise<readonly string[]> {
  return (
    (await data<readonly string[]>(`label/${encodeURIComponent(label)}/values`, params, how)) ?? []
  );
}

export async function series(params: Params, how: Ask = {}): Promise<readonly Labels[]> {
  return (await data<readonly Labels[]>('series', params, how)) ?? [];
}

/** The names of what lines of these streams hold. */
export async function detectedFields(params: Params, how: Ask = {}): Promise<readonly string[]> {
  const response = await ask('/loki/api/v1/detected_fields', params, how);
  const body = (await response.json()) as DetectedFields;
  return (body.fields ?? []).map(({ label }) => label);
}
