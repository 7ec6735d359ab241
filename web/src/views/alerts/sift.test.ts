import { expect, it } from 'vitest';
import type { Rule, RuleGroup } from '../../api/generated';
import { counted, sifted } from './sift';

const rule = (name: string, more: Partial<Rule>): Rule => ({
  name,
  type: 'alerting',
  query: 'up == 0',
  health: 'ok',
  labels: {},
  evaluationTime: 0,
  lastEvaluation: '',
  ...more,
});
const group = (name: string, ...rules: readonly Rule[]): RuleGroup => ({
  name,
  file: 'f',
  interval: 60,
  limit: 0,
  evaluationTime: 0,
  lastEvaluation: '',
  rules,
});
const GROUPS = [
  group('calm', rule('quiet', { state: 'inactive' }), rule('sum', { type: 'recording' })),
  group(
    'loud',
    rule('soon', { state: 'pending' }),
    rule('now', {
      state: 'firing',
      alerts: [{ labels: { pod: 'x' }, annotations: {}, state: 'firing', value: '1' }],
    }),
    rule('broken', { state: 'inactive', health: 'err' }),
  ),
];
const names = (groups: readonly RuleGroup[]) => groups.map((g) => g.rules.map((r) => r.name));

it('puts what needs a human in front', () => {
  expect(names(sifted(GROUPS, '', ''))).toEqual([
    ['broken', 'now', 'soon'],
    ['quiet', 'sum'],
  ]);
});

it('searches names, expressions and labels of alerts, and takes one state', () => {
  expect(names(sifted(GROUPS, 'POD=x', ''))).toEqual([['now']]);
  expect(names(sifted(GROUPS, '', 'recording'))).toEqual([['sum']]);
  expect(sifted(GROUPS, 'nothing', '')).toEqual([]);
});

it('counts the states that there are', () => {
  expect([...counted(GROUPS)]).toEqual([
    ['failing', 1],
    ['firing', 1],
    ['pending', 1],
    ['inactive', 1],
    ['recording', 1],
  ]);
});
