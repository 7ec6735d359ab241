/// <reference types="vite/client" />
// Dashboards written to use every feature of `features.json`: all of them are drawn, each feature
// stands in some file, and whatever is not supported is named as `masthead check dashboards` does.
import { expect, it } from 'vitest';
import expected from '../../../../testdata/dashboards-expected.json';
import { field, frame } from '../../frame/frame';
import { isObject, type Json, list, object, objects, text } from '../../lib/json';
import { layout } from '../layout/repeat';
import { plan, shape } from '../run';
import { UNITS } from '../units/units';
import { FORMAT_NAMES, type Language, type VariableValue } from '../variables/format';
import { interpolate } from '../variables/interpolate';
import { FEATURES, type Rules } from './features';
import { readDashboard } from './read';

const FILES = import.meta.glob<Json>('../../../../testdata/dashboards/*.json', {
  eager: true,
  import: 'default',
});
const REFUSED = import.meta.glob<unknown>('../../../../testdata/dashboards-not-supported/*.json', {
  eager: true,
  import: 'default',
});

/** Every panel of a file as it stands there. */
function panelsOf(json: Json): Json[] {
  const of = (holder: Json): Json[] =>
    objects(holder, 'panels').flatMap((panel) => [panel, ...of(panel)]);
  return [...of(json), ...objects(json, 'rows').flatMap(of)];
}

const ALL = Object.values(FILES).map((json) =>
  isObject(json.dashboard) ? object(json, 'dashboard') : json,
);
const PANELS = ALL.flatMap(panelsOf);

it.each(Object.entries(FILES))('%s is drawn as a whole', (_, json) => {
  const read = readDashboard(json);
  expect(read).toMatchObject({ ok: true, unsupported: [] });
  if (!read.ok) return;
  const values = () => ({ value: ['a', 'b'], text: ['a', 'b'] });
  const rows = layout(read.dashboard.panels, () => ['a', 'b']);
  const range = { from: 0, to: 900_000 };
  for (const { panel } of rows.flatMap((row) => row.panels)) {
    const { requests } = plan(panel, { range, zone: 'utc', values, points: 100, scrapeMs: 15_000 });
    expect(requests.length > 0, panel.title).toBe(panel.targets.some((t) => !t.hide));
    const times = [0, 60_000, 120_000];
    const answers = requests.map((request) => ({
      request,
      answer: {
        notices: [],
        raw: null,
        frames: ['idle', 'system'].map((mode) =>
          frame(
            [
              field('Time', 'time', times),
              field('Value', 'number', [1, 2, 3], { labels: { mode, le: '1' } }),
            ],
            { refId: request.refId },
          ),
        ),
      },
    }));
    expect(() => shape(panel, answers), panel.title).not.toThrow();
  }
});

/** Whether some option at the path has the value; any value when none is given. */
function used(options: readonly Json[], path: string, value?: unknown): boolean {
  return options.some((of) => {
    const at = path
      .split('.')
      .reduce<unknown>((now, key) => (isObject(now) ? now[key] : undefined), of);
    if (at === undefined || at === null) return false;
    return value === undefined || (Array.isArray(at) ? at.includes(value) : at === value);
  });
}

function unused(options: readonly Json[], rules: Rules): string[] {
  const others = options.some((of) => Object.keys(of).some((key) => !(key in rules)));
  return Object.entries(rules).flatMap(([path, rule]) =>
    typeof rule === 'string'
      ? (path === '*' ? others : used(options, path))
        ? []
        : [path]
      : rule
          .filter((value) => !used(options, path, value))
          .map((value) => `${path} = ${JSON.stringify(value)}`),
  );
}

it('has a panel for every option', () => {
  for (const [type, { options, custom }] of Object.entries(FEATURES.panels)) {
    const panels = PANELS.filter((p) => p.type === type);
    expect(panels.length, type).toBeGreaterThan(0);
    expect(
      unused(
        panels.map((p) => object(p, 'options')),
        options,
      ),
      type,
    ).toEqual([]);
    const customs = panels.map((p) =>
      object(object(object(p, 'fieldConfig'), 'defaults'), 'custom'),
    );
    expect(unused(customs, custom), type).toEqual([]);
  }
});

it('has a file for every other feature', () => {
  const types = new Set(PANELS.map((p) => text(p, 'type')));
  expect(FEATURES.legacyPanels.filter((type) => !types.has(type))).toEqual([]);
  const transformations = PANELS.flatMap((p) => objects(p, 'transformations'));
  for (const [id, rules] of Object.entries(FEATURES.transformations)) {
    const of = transformations.filter((t) => t.id === id);
    expect(of.length, id).toBeGreaterThan(0);
    expect(
      unused(
        of.map((t) => object(t, 'options')),
        rules,
      ),
      id,
    ).toEqual([]);
  }
  const variables = ALL.flatMap((d) => objects(object(d, 'templating'), 'list'));
  const missing = (known: readonly string[], found: Iterable<unknown>) => {
    const set = new Set(found);
    return known.filter((one) => !set.has(one));
  };
  expect(
    missing(
      FEATURES.variables,
      variables.map((v) => v.type),
    ),
  ).toEqual([]);
  const whole = JSON.stringify(ALL);
  expect(FEATURES.variableQueries.filter((name) => !whole.includes(`"${name}(`))).toEqual([]);
  expect(FEATURES.formats.filter((f) => !whole.includes(`:${f}}`))).toEqual([]);
  expect(FEATURES.reducers.filter((r) => !whole.includes(`"${r}"`))).toEqual([]);
  expect(UNITS.filter(({ id }) => !whole.includes(`"unit","value":"${id}"`))).toEqual([]);
  const defaults = PANELS.map((p) => object(object(p, 'fieldConfig'), 'defaults'));
  expect(missing(FEATURES.field, defaults.flatMap(Object.keys))).toEqual([]);
  expect(
    missing(
      FEATURES.colors,
      defaults.map((d) => object(d, 'color').mode),
    ),
  ).toEqual([]);
  const mappings = defaults.flatMap((d) => objects(d, 'mappings'));
  expect(
    missing(
      FEATURES.mappings,
      mappings.map((m) => m.type),
    ),
  ).toEqual([]);
  const overrides = PANELS.flatMap((p) => objects(object(p, 'fieldConfig'), 'overrides'));
  expect(
    missing(
      FEATURES.matchers,
      overrides.map((o) => object(o, 'matcher').id),
    ),
  ).toEqual([]);
  const schemas = ALL.map((d) => Number(d.schemaVersion));
  expect([Math.min(...schemas), Math.max(...schemas)]).toEqual([16, FEATURES.newestSchema]);
  expect(ALL.some((d) => list(d, '__inputs').length > 0)).toBe(true);
});

it('has a function for every format in the table', () => {
  expect([...FORMAT_NAMES].sort()).toEqual([...FEATURES.formats].sort());
});

it.each(Object.entries(REFUSED))('%s is named as the command names it', (path, json) => {
  const name = path.split('/').at(-1) ?? '';
  const want: Json = expected.notSupported[name as keyof typeof expected.notSupported];
  const read = readDashboard(json);
  if (read.ok) {
    expect(read.unsupported.map((u) => `${u.where}: ${u.what}`).sort()).toEqual(want.unsupported);
  } else {
    expect(read.error).toBe(want.error ?? want.skipped);
  }
});

it('writes variables as the command does', () => {
  const values: Readonly<Record<string, VariableValue>> = expected.interpolation.values;
  const lookup = (name: string) => {
    const value = values[name];
    return value === undefined
      ? undefined
      : { value, text: typeof value === 'string' ? [value] : value };
  };
  for (const [template = '', language, want] of expected.interpolation.rows)
    expect(interpolate(template, { lookup }, language as Language), template).toBe(want);
});
