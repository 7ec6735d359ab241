import { expect, it } from 'vitest';
import type { Dashboard } from './model';
import { readDashboard } from './read';

function read(file: unknown): { dashboard: Dashboard; unsupported: string[] } {
  const answer = readDashboard(file);
  if (!answer.ok) throw new Error(answer.error);
  return {
    dashboard: answer.dashboard,
    unsupported: answer.unsupported.map((u) => `${u.where}: ${u.what}`),
  };
}

const panel = (more: object) => ({
  schemaVersion: 39,
  panels: [{ id: 1, gridPos: { x: 0, y: 0, w: 8, h: 4 }, ...more }],
});

it('refuses what is no classic dashboard, in words', () => {
  const error = (file: unknown) => {
    const answer = readDashboard(file);
    return answer.ok ? undefined : answer.error;
  };
  expect(error(null)).toMatch(/not a JSON object/);
  expect(error({})).toMatch(/neither/);
  expect(error({ apiVersion: 'dashboard.grafana.app/v2beta1', spec: { elements: {} } })).toMatch(
    /v2beta1.*Classic/,
  );
  expect(error({ elements: {}, layout: {} })).toMatch(/v2/);
});

it('resolves data sources that an export left open', () => {
  const { dashboard, unsupported } = read({
    __inputs: [
      { name: 'DS_PROMETHEUS', type: 'datasource', pluginId: 'prometheus' },
      { name: 'DS_X', type: 'datasource', pluginId: 'loki' },
    ],
    panels: [
      { id: 1, type: 'timeseries', datasource: '${DS_PROMETHEUS}', targets: [{ expr: 'up' }] },
      {
        id: 2,
        type: 'logs',
        datasource: { type: 'loki', uid: '${DS_X}' },
        targets: [{ expr: '{a="b"}' }],
      },
    ],
  });
  expect(dashboard.panels.map((p) => p.source)).toEqual([{ kind: 'prometheus' }, { kind: 'loki' }]);
  expect(unsupported).toEqual([]);
});

it('keeps a variable as data source', () => {
  const { dashboard } = read(
    panel({
      type: 'stat',
      datasource: { type: 'prometheus', uid: '${datasource}' },
      targets: [{ expr: 'up', instant: true }],
    }),
  );
  expect(dashboard.panels[0]?.source).toEqual({ kind: 'prometheus', uid: '${datasource}' });
  expect(dashboard.panels[0]?.targets[0]).toMatchObject({
    refId: 'A',
    instant: true,
    range: false,
  });
});

it('reads a mixed panel target by target', () => {
  const { dashboard } = read(
    panel({
      type: 'timeseries',
      datasource: { type: 'datasource', uid: '-- Mixed --' },
      targets: [
        { refId: 'A', expr: 'up', datasource: { type: 'prometheus', uid: 'prometheus' } },
        { refId: 'B', expr: 'rate({a="b"}[1m])', datasource: { type: 'loki', uid: 'loki' } },
      ],
    }),
  );
  expect(dashboard.panels[0]?.targets.map((t) => t.source.kind)).toEqual(['prometheus', 'loki']);
});

it('names what it does not draw, and goes on', () => {
  const { unsupported } = read({
    schemaVersion: 99,
    templating: { list: [{ name: 'g', type: 'groupby' }] },
    panels: [
      { id: 1, type: 'geomap', title: 'Map' },
      {
        id: 2,
        type: 'table',
        title: 'T',
        transformations: [{ id: 'partitionByValues', options: {} }],
      },
      {
        id: 3,
        type: 'timeseries',
        title: 'S',
        targets: [{ datasource: { type: 'elasticsearch', uid: 'x' } }],
      },
    ],
  });
  expect(unsupported).toEqual([
    'dashboard: schemaVersion 99 (newest known: 42)',
    'variable g: variable type groupby',
    'panel 1 "Map": panel type geomap',
    'panel 2 "T": transformation partitionByValues',
    'panel 3 "S": data source elasticsearch',
  ]);
});

it('gives slices colours of their own where the file says nothing of colours', () => {
  const color = (type: string, defaults: object) =>
    read(panel({ type, fieldConfig: { defaults } })).dashboard.panels[0]?.defaults.color?.mode;
  expect(color('piechart', { unit: 'short' })).toBe('palette-classic');
  expect(color('piechart', { color: { mode: 'thresholds' } })).toBe('thresholds');
  expect(color('stat', { unit: 'short' })).toBeUndefined();
});

it('gives panels to the row above them, open or collapsed', () => {
  const at = (id: number, y: number, more: object = {}) => ({
    id,
    type: 'stat',
    gridPos: { x: 0, y, w: 24, h: 1 },
    ...more,
  });
  const { dashboard } = read({
    panels: [
      at(1, 0),
      at(2, 1, { type: 'row', title: 'open' }),
      at(3, 2),
      at(4, 3, { type: 'row', title: 'shut', collapsed: true, panels: [at(5, 4)] }),
    ],
  });
  expect(dashboard.panels.map((p) => [p.id, p.panels.map((c) => c.id)])).toEqual([
    [1, []],
    [2, [3]],
    [4, [5]],
  ]);
});

it('turns a graph of schema version 16 into a time series', () => {
  const { dashboard } = read({
    schemaVersion: 16,
    rows: [
      {
        height: '250px',
        title: 'Row',
        showTitle: true,
        panels: [
          {
            id: 7,
            type: 'graph',
            span: 6,
            stack: true,
            percentage: true,
            fill: 3,
            linewidth: 2,
            yaxes: [{ format: 'bytes', min: '0', logBase: 2 }, { format: 'percent' }],
            seriesOverrides: [{ alias: '/total/', yaxis: 2, fill: 0 }],
            aliasColors: { used: '#ff0000' },
            legend: { show: true, alignAsTable: true, avg: true, current: true },
            thresholds: [{ value: 80, colorMode: 'critical', op: 'gt' }],
            targets: [{ expr: 'x', legendFormat: '{{a}}' }],
          },
        ],
      },
    ],
  });
  const [row] = dashboard.panels;
  const graph = row?.panels[0];
  expect(graph?.type).toBe('timeseries');
  expect(graph?.grid).toEqual({ x: 0, y: 1, w: 12, h: 9 });
  expect(graph?.defaults).toMatchObject({
    unit: 'bytes',
    min: 0,
    custom: {
      fillOpacity: 30,
      lineWidth: 2,
      stacking: { mode: 'percent' },
      scaleDistribution: { type: 'log', log: 2 },
    },
    thresholds: { steps: [{ color: 'transparent' }, { value: 80, color: 'red' }] },
  });
  expect(graph?.overrides.map((o) => o.matcher)).toEqual([
    { id: 'byName', options: 'used' },
    { id: 'byRegexp', options: '/total/' },
  ]);
  expect(graph?.overrides[1]?.properties).toContainEqual({ id: 'unit', value: 'percent' });
  expect(graph?.options.legend).toMatchObject({
    displayMode: 'table',
    calcs: ['mean', 'lastNotNull'],
  });
});

it('turns a singlestat into a stat or a gauge', () => {
  const { dashboard } = read(
    panel({
      type: 'singlestat',
      format: 'percent',
      thresholds: '50,80',
      colors: ['green', 'yellow', 'red'],
      colorBackground: true,
      valueName: 'current',
      valueMaps: [
        { op: '=', value: 'null', text: 'N/A' },
        { value: '1', text: 'UP' },
      ],
      sparkline: { show: true },
    }),
  );
  const stat = dashboard.panels[0];
  expect(stat?.type).toBe('stat');
  expect(stat?.options).toMatchObject({
    colorMode: 'background',
    graphMode: 'area',
    reduceOptions: { calcs: ['lastNotNull'] },
  });
  expect(stat?.defaults.thresholds?.steps.map((s) => s.value)).toEqual([
    Number.NEGATIVE_INFINITY,
    50,
    80,
  ]);
  expect(stat?.defaults.mappings).toEqual([
    { type: 'special', match: 'null', result: { text: 'N/A' } },
    { type: 'value', options: { '1': { text: 'UP' } } },
  ]);
});

it('reads variables of every kind', () => {
  const { dashboard } = read({
    panels: [],
    templating: {
      list: [
        {
          type: 'query',
          name: 'job',
          query: { query: 'label_values(up, job)', refId: 'x' },
          refresh: 2,
          multi: true,
          includeAll: true,
          current: { value: ['$__all'], text: ['All'] },
        },
        {
          type: 'query',
          name: 'app',
          datasource: { type: 'loki', uid: 'loki' },
          query: { type: 1, label: 'app', stream: '{a="b"}' },
        },
        {
          type: 'interval',
          name: 'i',
          auto: true,
          auto_count: 20,
          auto_min: '1m',
          query: '1m,5m',
          current: { value: '5m' },
        },
        { type: 'textbox', name: 't', query: 'x', hide: 1 },
      ],
    },
  });
  expect(dashboard.variables[0]).toMatchObject({
    query: 'label_values(up, job)',
    refreshOnTime: true,
    current: ['$__all'],
  });
  expect(dashboard.variables[1]).toMatchObject({
    lokiQuery: { label: 'app', stream: '{a="b"}' },
    source: { kind: 'loki' },
  });
  expect(dashboard.variables[2]).toMatchObject({ auto: { count: 20, min: '1m' }, current: ['5m'] });
  expect(dashboard.variables[3]).toMatchObject({ hide: 'label', label: 't' });
});
