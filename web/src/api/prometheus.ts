/**
 * The metrics half of the server, as frames.
 *
 * Sample values arrive as text so that `NaN` and `+Inf` survive JSON; times are seconds there and
 * milliseconds in frames.
 */

import { type Field, type Frame, field, frame, type Labels } from '../frame/frame';
import type { Envelope, ExemplarSeries, Metadata, PrometheusData } from './generated';
import { type Ask, ask, type Params } from './http';

export type Answer = {
  readonly frames: readonly Frame[];
  readonly notices: readonly string[];
  /** As it came, for the inspector. */
  readonly raw: unknown;
};

export async function get<T>(path: string, params: Params, how: Ask): Promise<Envelope<T>> {
  const response = await ask(`/api/v1/${path}`, params, how);
  return (await response.json()) as Envelope<T>;
}

export type RangeQuery = {
  readonly expr: string;
  readonly from: number;
  readonly to: number;
  readonly stepMs: number;
  readonly refId?: string;
  readonly legend?: string;
};

/** Evaluates over a range; both ends are moved down to a multiple of the step, as Grafana does. */
export async function queryRange(query: RangeQuery, how: Ask = {}): Promise<Answer> {
  const step = Math.max(query.stepMs, 1);
  const start = Math.floor(query.from / step) * step;
  const end = Math.floor(query.to / step) * step;
  const params = { query: query.expr, start: start / 1_000, end: end / 1_000, step: step / 1_000 };
  const answer = await get<PrometheusData>('query_range', params, how);
  return {
    frames: toFrames(answer.data, { ...query, stepMs: step }),
    notices: [...(answer.warnings ?? []), ...(answer.infos ?? [])],
    raw: answer,
  };
}

/** Evaluates at one instant. */
export async function queryInstant(
  query: { expr: string; at: number; refId?: string; legend?: string },
  how: Ask = {},
): Promise<Answer> {
  const answer = await get<PrometheusData>(
    'query',
    { query: query.expr, time: query.at / 1_000 },
    how,
  );
  return {
    frames: toFrames(answer.data, query),
    notices: [...(answer.warnings ?? []), ...(answer.infos ?? [])],
    raw: answer,
  };
}

/** One frame a series: `Time` and `Value`, the labels on the value. */
export function toFrames(
  data: PrometheusData,
  query: { refId?: string; legend?: string; stepMs?: number },
): Frame[] {
  const more = { refId: query.refId };
  const spaced = query.stepMs === undefined ? {} : { config: { step: query.stepMs } };
  if (data.resultType === 'scalar' || data.resultType === 'string') {
    const [time, value] = data.result;
    const shown =
      data.resultType === 'scalar'
        ? field('Value', 'number', [number(value)])
        : field('Value', 'string', [value]);
    return [frame([field('Time', 'time', [time * 1_000]), shown], more)];
  }
  return data.result.map((series) => {
    const histograms = series.histograms ?? (series.histogram && [series.histogram]);
    if (histograms !== undefined && histograms.length > 0) {
      return frame(
        [
          field(
            'Time',
            'time',
            histograms.map(([time]) => time * 1_000),
            spaced,
          ),
          field(
            'Value',
            'other',
            histograms.map(([, value]) => value),
            naming(series.metric, query.legend),
          ),
        ],
        more,
      );
    }
    const points = series.values ?? (series.value ? [series.value] : []);
    const times = points.map(([time]) => time * 1_000);
    const values = points.map(([, value]) => number(value));
    const shown: Field<number> = field(
      'Value',
      'number',
      values,
      naming(series.metric, query.legend),
    );
    return frame([field('Time', 'time', times, spaced), shown], more);
  });
}

function naming(labels: Labels, legend?: string) {
  if (legend === undefined || legend === '' || legend === '__auto') return { labels };
  return { labels, config: { displayName: legend } };
}

export function number(text: string): number {
  if (text === '+Inf' || text === 'Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  return Number(text);
}

export async function labelNames(params: Params, how: Ask = {}): Promise<readonly string[]> {
  return (await get<readonly string[]>('labels', params, how)).data;
}

export async function labelValues(
  label: string,
  params: Params,
  how: Ask = {},
): Promise<readonly string[]> {
  const path = `label/${encodeURIComponent(label)}/values`;
  return (await get<readonly string[]>(path, params, how)).data;
}

export async function series(params: Params, how: Ask = {}): Promise<readonly Labels[]> {
  return (await get<readonly Labels[]>('series', params, how)).data;
}

export async function metadata(
  params: Params,
  how: Ask = {},
): Promise<Readonly<Record<string, readonly Metadata[]>>> {
  return (await get<Record<string, readonly Metadata[]>>('metadata', params, how)).data;
}

/** The tree of an expression, as the server reads it. */
export async function parseQuery(query: string, how: Ask = {}): Promise<unknown> {
  return (await get<unknown>('parse_query', { query }, how)).data;
}

/** One measurement that stands for others, with what leads to it, such as a request's id. */
export type Exemplar = {
  readonly at: number;
  readonly value: number;
  readonly labels: Labels;
  readonly series: Labels;
};

export async function queryExemplars(
  query: string,
  range: { readonly from: number; readonly to: number },
  how: Ask = {},
): Promise<readonly Exemplar[]> {
  const params = { query, start: range.from / 1_000, end: range.to / 1_000 };
  const { data } = await get<readonly ExemplarSeries[]>('query_exemplars', params, how);
  return data.flatMap(({ seriesLabels, exemplars }) =>
    exemplars.map((e) => ({
      at: e.timestamp * 1_000,
      value: number(e.value),
      labels: e.labels,
      series: seriesLabels,
    })),
  );
}
