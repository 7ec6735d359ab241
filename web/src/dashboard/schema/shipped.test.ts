/// <reference types="vite/client" />
import { expect, it } from 'vitest';
import { isObject, type Json } from '../../lib/json';
import { layout } from '../layout/repeat';
import { readDashboard } from './read';

const FILES = import.meta.glob<unknown>('../../../../infra/grafana/dashboards/*.json', {
  eager: true,
  import: 'default',
});

/** The panels that Grafana 11.0 has built in; 12 and 13 have them too. */
const CORE = new Set(
  'row timeseries stat gauge bargauge table logs heatmap histogram piechart barchart state-timeline status-history text dashlist annolist'.split(
    ' ',
  ),
);
/** Options that came after 11.0: an older Grafana would pass over them in silence. */
const NEWER: Readonly<Record<string, readonly string[]>> = {
  gauge: [
    'barShape',
    'barWidthFactor',
    'effects',
    'endpointMarker',
    'segmentCount',
    'segmentSpacing',
    'shape',
    'sparkline',
    'textMode',
  ],
  logs: [
    'controlsStorageKey',
    'detailsMode',
    'fontSize',
    'showControls',
    'showLogAttributes',
    'syntaxHighlighting',
    'timestampResolution',
    'unwrappedColumns',
  ],
  table: ['disableKeyboardEvents', 'enablePagination', 'frozenColumns', 'maxRowHeight'],
  timeseries: ['annotations', 'timeCompare'],
};
const SOURCE = /^(prometheus|loki|grafana|-- (Mixed|Dashboard|Grafana) --|\$\{?\w+\}?)$/;
const VARIABLES = ['query', 'custom', 'constant', 'textbox', 'interval', 'datasource', 'adhoc'];

/** Every object of a file, from the outside. */
function* objects(json: unknown): Generator<Json> {
  if (Array.isArray(json)) for (const one of json) yield* objects(one);
  if (!isObject(json)) return;
  yield json;
  for (const one of Object.values(json)) yield* objects(one);
}

it.each(Object.entries(FILES))('%s loads in Grafana 11 to 13 too', (_, json) => {
  // 11.0 writes 39 and 13 writes 42; a file of 39 is migrated by all of them.
  expect(json).toMatchObject({
    schemaVersion: 39,
    title: expect.any(String),
    uid: expect.any(String),
  });
  expect(
    isObject(json) && ['apiVersion', 'spec', 'elements', 'layout'].filter((k) => k in json),
  ).toEqual([]);
  for (const one of objects(json)) {
    const { type, gridPos, datasource, options } = one;
    if (isObject(gridPos)) {
      expect(CORE, String(one.title)).toContain(type);
      const { x, y, w, h } = gridPos as Record<string, number>;
      expect([x, y, w, h].every(Number.isInteger) && (w ?? 0) > 0 && (h ?? 0) > 0).toBe(true);
      // Of the core plugins, none has options that an older version does not know.
      const newer = (NEWER[String(type)] ?? []).filter((k) => isObject(options) && k in options);
      expect(newer, String(one.title)).toEqual([]);
    }
    if (isObject(datasource)) {
      expect(String(datasource.uid)).toMatch(SOURCE);
      expect(['prometheus', 'loki', 'grafana', 'datasource']).toContain(datasource.type);
    } else if (datasource !== undefined && datasource !== null) {
      expect(String(datasource)).toMatch(SOURCE);
    }
  }
  const { templating } = json as { templating?: { list?: readonly Json[] } };
  for (const { type, name } of templating?.list ?? [])
    expect(VARIABLES, String(name)).toContain(type);
});

it.each(['api-overview', 'api-logs'])('%s is about services, of which Masthead is none', (name) => {
  const [, json] = Object.entries(FILES).find(([path]) => path.endsWith(`/${name}.json`)) ?? [];
  const { list } = (json as { templating: { list: readonly Json[] } }).templating;
  for (const variable of list.filter(({ type }) => type === 'query'))
    expect(variable.definition, String(variable.name)).toContain('job!~"masthead(-.+)?"');
  // Without a value of its own, "All" is every service of the list; it would be every one there is.
  expect(list.find(({ name }) => name === 'service')).not.toHaveProperty('allValue');
});

it('ships five dashboards', () => {
  expect(Object.keys(FILES).length).toBe(5);
});

it.each(Object.entries(FILES))('%s asks for nothing that is not supported', (path, json) => {
  const read = readDashboard(json);
  expect(read).toMatchObject({ ok: true, unsupported: [] });
  if (!read.ok) return;
  const { dashboard } = read;
  expect(path).toContain(`/${dashboard.uid}.json`);
  expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(39);
  // Data sources are the default ones, so that the files load in Grafana unmodified.
  expect(isObject(json) && '__inputs' in json).toBe(false);
  const targets = dashboard.panels.flatMap((p) => p.targets);
  for (const { source } of targets) expect(source.uid).toBe(source.kind);
  const ids = dashboard.panels.map((p) => p.id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const panel of dashboard.panels) {
    expect(panel.title === '' ? panel.type : panel.title).not.toBe('');
    expect(panel.grid.x + panel.grid.w).toBeLessThanOrEqual(24);
  }
  expect(layout(dashboard.panels, () => ['a']).length).toBeGreaterThan(0);
});
