/** What the server says of itself: targets, rules, cardinality, build and settings. */

import type { Labels } from '../frame/frame';
import type { Ask } from './http';
import { get } from './prometheus';

export type Target = {
  readonly labels: Labels;
  readonly discoveredLabels: Labels;
  readonly scrapePool: string;
  readonly scrapeUrl: string;
  readonly lastError: string;
  readonly lastScrape: string;
  readonly lastScrapeDuration: number;
  readonly health: 'up' | 'down' | 'unknown';
  readonly scrapeInterval: string;
};

export async function targets(how: Ask): Promise<readonly Target[]> {
  const answer = await get<{ activeTargets?: readonly Target[] }>(
    'targets',
    { state: 'active' },
    how,
  );
  return answer.data.activeTargets ?? [];
}

/** A target that relabelling left out. */
export type Dropped = { readonly discoveredLabels: Labels; readonly scrapePool: string };

export type Discovered = {
  readonly active: readonly Target[];
  readonly dropped: readonly Dropped[];
  /** How many were left out, by pool; of many the server lists only some. */
  readonly droppedCounts: Readonly<Record<string, number>>;
};

export async function discovered(how: Ask): Promise<Discovered> {
  const { data } = await get<{
    activeTargets?: readonly Target[];
    droppedTargets?: readonly Dropped[];
    droppedTargetCounts?: Readonly<Record<string, number>>;
  }>('targets', { state: 'any' }, how);
  return {
    active: data.activeTargets ?? [],
    dropped: data.droppedTargets ?? [],
    droppedCounts: data.droppedTargetCounts ?? {},
  };
}

/** One rule of a relabelling and the labels after it; the last one says why a target was left out. */
export type RelabelStep = {
  readonly rule: Readonly<Record<string, unknown>>;
  readonly output: Labels;
  readonly keep: boolean;
};

export async function relabelSteps(
  pool: string,
  labels: Labels,
  how: Ask,
): Promise<readonly RelabelStep[]> {
  const params = { scrapePool: pool, labels: JSON.stringify(labels) };
  return (
    (await get<{ steps?: readonly RelabelStep[] | null }>('targets/relabel_steps', params, how))
      .data.steps ?? []
  );
}

export type Alert = {
  readonly labels: Labels;
  readonly annotations?: Labels;
  readonly state: string;
  readonly activeAt?: string;
  readonly value?: string;
};

export type Rule = {
  readonly type: 'alerting' | 'recording';
  readonly name: string;
  readonly query: string;
  readonly health?: string;
  readonly lastError?: string;
  readonly state?: 'firing' | 'pending' | 'inactive';
  readonly duration?: number;
  readonly alerts?: readonly Alert[];
};

export type RuleGroup = {
  readonly name: string;
  readonly file: string;
  readonly interval: number;
  readonly rules: readonly Rule[];
};

export async function rules(how: Ask): Promise<readonly RuleGroup[]> {
  return (await get<{ groups?: readonly RuleGroup[] }>('rules', {}, how)).data.groups ?? [];
}

export type Count = { readonly name: string; readonly value: number };

export type Cardinality = {
  readonly headStats?: { readonly numSeries?: number; readonly numLabelPairs?: number };
  readonly seriesCountByMetricName?: readonly Count[];
  readonly labelValueCountByLabelName?: readonly Count[];
  readonly memoryInBytesByLabelName?: readonly Count[];
  readonly seriesCountByLabelValuePair?: readonly Count[];
};

export async function cardinality(limit: number, how: Ask): Promise<Cardinality> {
  return (await get<Cardinality>('status/tsdb', { limit }, how)).data;
}

/** Names and values, as the server gives them for its build, its run and its settings. */
export async function facts(
  of: 'buildinfo' | 'runtimeinfo' | 'flags',
  how: Ask,
): Promise<Readonly<Record<string, unknown>>> {
  return (await get<Record<string, unknown>>(`status/${of}`, {}, how)).data;
}

/** The configuration as it is in force, secrets masked by the server. */
export async function configuration(how: Ask): Promise<string> {
  return (await get<{ yaml?: string }>('status/config', {}, how)).data.yaml ?? '';
}

/** A metric of the server's own, of whatever type. */
export type MetricFamily = {
  readonly name: string;
  readonly metric?: readonly { readonly gauge?: { readonly value?: number } }[];
};

/** The server's own metrics, also where it does not scrape itself. */
export async function selfMetrics(how: Ask): Promise<readonly MetricFamily[]> {
  return (
    (await get<readonly MetricFamily[] | undefined>('status/self_metrics', {}, how)).data ?? []
  );
}
