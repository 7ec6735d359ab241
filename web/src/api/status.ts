/** What the server says of itself: targets, rules, cardinality, build and settings. */

import type { Labels } from '../frame/frame';
import type {
  ActiveTarget,
  BuildInfo,
  Cardinality,
  ConfigText,
  Discovery,
  MetricFamily,
  RelabelStep,
  RelabelSteps,
  RuleGroup,
  RuleGroups,
  RuntimeInfo,
  Targets,
} from './generated';
import { ApiError, type Ask, ask } from './http';
import { get } from './prometheus';

export async function targets(how: Ask): Promise<readonly ActiveTarget[]> {
  return (await get<Targets>('targets', { state: 'active' }, how)).data.activeTargets;
}

/** Every target, of which those that relabelling left out are among the dropped. */
export async function discovered(how: Ask): Promise<Targets> {
  return (await get<Targets>('targets', { state: 'any' }, how)).data;
}

/** What became of custom resources, and why a pool scrapes nothing; not every server says it. */
export async function discovery(how: Ask): Promise<Discovery> {
  try {
    return (await (await ask('/api/discovery', {}, how)).json()) as Discovery;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404)
      return { pools: [], resources: [], problems: [] };
    throw error;
  }
}

export async function relabelSteps(
  pool: string,
  labels: Labels,
  how: Ask,
): Promise<readonly RelabelStep[]> {
  const params = { scrapePool: pool, labels: JSON.stringify(labels) };
  return (await get<RelabelSteps>('targets/relabel_steps', params, how)).data.steps;
}

export async function rules(how: Ask): Promise<readonly RuleGroup[]> {
  return (await get<RuleGroups>('rules', {}, how)).data.groups;
}

export async function cardinality(limit: number, how: Ask): Promise<Cardinality> {
  return (await get<Cardinality>('status/tsdb', { limit }, how)).data;
}

export async function buildInfo(how: Ask): Promise<BuildInfo> {
  return (await get<BuildInfo>('status/buildinfo', {}, how)).data;
}

export async function runtimeInfo(how: Ask): Promise<RuntimeInfo> {
  return (await get<RuntimeInfo>('status/runtimeinfo', {}, how)).data;
}

/** The server's settings by the names of their flags. */
export async function flags(how: Ask): Promise<Labels> {
  return (await get<Labels>('status/flags', {}, how)).data;
}

/** The configuration as it is in force, secrets masked by the server. */
export async function configuration(how: Ask): Promise<string> {
  return (await get<ConfigText>('status/config', {}, how)).data.yaml;
}

/** The server's own metrics, also where it does not scrape itself. */
export async function selfMetrics(how: Ask): Promise<readonly MetricFamily[]> {
  return (await get<readonly MetricFamily[]>('status/self_metrics', {}, how)).data;
}
