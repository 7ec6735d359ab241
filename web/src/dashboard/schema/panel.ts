/** One panel of a dashboard file: place, queries, field options, options, transformations. */

import { defined, flag, isObject, type Json, numeric, object, objects, text } from '../../lib/json';
import { FEATURES, unknownOptions } from './features';
import { fromLegacy } from './legacy';
import type {
  FieldOptions,
  Link,
  Mapping,
  MappingResult,
  Override,
  Panel,
  SourceRef,
  Target,
  Thresholds,
  Transformation,
} from './model';
import type { Context } from './read';
import { kindOf, readSource, sourceName } from './source';

/** Every panel type that is drawn. */
export const PANEL_TYPES: ReadonlySet<string> = new Set(Object.keys(FEATURES.panels));

/** Slices of one colour could not be told apart: without a word in the file each has its own. */
const SLICES: FieldOptions = { color: { mode: 'palette-classic' } };

/** Panels that draw without asking anything; what stands in their queries is nothing. */
const NO_DATA: ReadonlySet<string> = new Set(['row', 'text', 'dashlist', 'annolist']);

export function readPanel(raw: Json, context: Context): Panel | undefined {
  const json = fromLegacy(raw);
  const type = text(json, 'type') ?? '';
  const title = text(json, 'title') ?? '';
  const where = `panel ${numeric(json, 'id') ?? '?'} ${JSON.stringify(title)}`;
  if (isObject(json.libraryPanel) && !Array.isArray(json.targets) && type === '') {
    context.report(where, 'library panel that is not part of the file');
  } else if (!PANEL_TYPES.has(type)) {
    context.report(where, `panel type ${type === '' ? '(none)' : type}`);
  } else if (json === raw) {
    // What an old panel asked for was brought to today's options, or has no successor.
    reportOptions(json, type, (what) => context.report(where, what));
  }
  const grid = object(json, 'gridPos');
  const source = readSource(json.datasource, context.sources);
  const fieldConfig = object(json, 'fieldConfig');
  return defined({
    id: numeric(json, 'id') ?? 0,
    type,
    title,
    description: text(json, 'description') || undefined,
    grid: {
      x: numeric(grid, 'x') ?? 0,
      y: numeric(grid, 'y') ?? 0,
      w: numeric(grid, 'w') ?? 12,
      h: numeric(grid, 'h') ?? 8,
    },
    source,
    targets: objects(json, 'targets').map((t, at) => target(t, at, source, json, where, context)),
    defaults: {
      ...(type === 'piechart' ? SLICES : {}),
      ...readFieldOptions(object(fieldConfig, 'defaults')),
    },
    overrides: objects(fieldConfig, 'overrides').map(override),
    options: object(json, 'options'),
    transformations: objects(json, 'transformations').flatMap((t) =>
      transformation(t, where, context),
    ),
    links: objects(json, 'links').map(readLink),
    transparent: flag(json, 'transparent'),
    repeat: text(json, 'repeat') || undefined,
    repeatDirection: text(json, 'repeatDirection') === 'v' ? 'v' : 'h',
    maxPerRow: numeric(json, 'maxPerRow') ?? 4,
    interval: text(json, 'interval') || undefined,
    maxDataPoints: numeric(json, 'maxDataPoints'),
    timeFrom: text(json, 'timeFrom') || undefined,
    timeShift: text(json, 'timeShift') || undefined,
    collapsed: flag(json, 'collapsed'),
    panels: objects(json, 'panels').flatMap((p) => readPanel(p, context) ?? []),
  }) as Panel;
}

function target(
  json: Json,
  at: number,
  panel: SourceRef,
  of: Json,
  where: string,
  context: Context,
): Target {
  const own =
    json.datasource === undefined || json.datasource === null
      ? panel
      : readSource(json.datasource, context.sources);
  const source =
    own.kind === 'mixed' || own.kind === 'unknown' ? { ...own, kind: guessKind(json, own) } : own;
  const asks = !NO_DATA.has(text(of, 'type') ?? '');
  if (asks && (source.kind === 'unknown' || source.kind === 'grafana'))
    context.report(where, `data source ${sourceName(json.datasource ?? of.datasource)}`);
  const format = text(json, 'format');
  // Loki has one switch of two words, Prometheus two switches.
  const kind = text(json, 'queryType');
  const instant = flag(json, 'instant') || kind === 'instant';
  return defined({
    refId: text(json, 'refId') ?? String.fromCharCode(65 + (at % 26)),
    expr: text(json, 'expr') ?? text(json, 'expression') ?? '',
    legend: text(json, 'legendFormat') || undefined,
    instant,
    range: json.range === undefined ? !instant : flag(json, 'range'),
    format: format === 'table' || format === 'heatmap' ? format : 'time_series',
    hide: flag(json, 'hide'),
    exemplar: flag(json, 'exemplar'),
    interval: text(json, 'interval') || undefined,
    maxLines: numeric(json, 'maxLines'),
    direction: text(json, 'direction') === 'forward' ? 'forward' : undefined,
    source,
    panelId: numeric(json, 'panelId'),
  }) as Target;
}

function guessKind(json: Json, source: SourceRef) {
  if (isObject(json.datasource)) {
    const kind = kindOf(text(json.datasource, 'type') ?? '');
    if (kind !== 'unknown') return kind;
  }
  return typeof json.expr === 'string' ? 'prometheus' : source.kind;
}

function transformation(json: Json, where: string, context: Context): Transformation[] {
  if (flag(json, 'disabled')) return [];
  const id = text(json, 'id') ?? '';
  const rules = FEATURES.transformations[id];
  if (rules === undefined) {
    context.report(where, `transformation ${id}`);
    return [];
  }
  for (const what of unknownOptions(object(json, 'options'), rules))
    context.report(where, `transformation ${id}: ${what}`);
  const filter = object(json, 'filter');
  const one = defined({ id, options: object(json, 'options'), filter: text(filter, 'options') });
  return [one as Transformation];
}

/** Names the options, field options and overrides of a panel that are not followed. */
function reportOptions(json: Json, type: string, report: (what: string) => void) {
  const { options, custom } = FEATURES.panels[type] ?? { options: {}, custom: {} };
  for (const what of unknownOptions(object(json, 'options'), options)) report(`option ${what}`);
  const property = (id: string, value: unknown) => {
    if (id === 'custom' || id.startsWith('custom.')) {
      for (const what of unknownOptions(value, custom, id.slice('custom.'.length)))
        report(`field option custom.${what}`);
    } else if (!FEATURES.field.includes(id)) {
      report(`field option ${id}`);
    } else if (id === 'color' && isObject(value)) {
      const mode = text(value, 'mode') ?? 'palette-classic';
      if (!FEATURES.colors.includes(mode)) report(`color mode ${mode}`);
    } else if (id === 'mappings' && Array.isArray(value)) {
      for (const mapping of value.filter(isObject)) {
        const { type: kind } = mapping;
        if (kind !== 1 && kind !== 2 && !FEATURES.mappings.includes(String(kind)))
          report(`value mapping ${String(kind)}`);
      }
    }
  };
  const fieldConfig = object(json, 'fieldConfig');
  const defaults = object(fieldConfig, 'defaults');
  for (const id of Object.keys(defaults).sort()) property(id, defaults[id]);
  for (const one of objects(fieldConfig, 'overrides')) {
    const matcher = text(object(one, 'matcher'), 'id') ?? '';
    if (!FEATURES.matchers.includes(matcher)) report(`override matcher ${matcher}`);
    for (const p of objects(one, 'properties')) property(text(p, 'id') ?? '', p.value);
  }
}

export function readFieldOptions(json: Json): FieldOptions {
  const color = object(json, 'color');
  return defined({
    displayName: text(json, 'displayName') || text(json, 'displayNameFromDS') || undefined,
    unit: text(json, 'unit') || undefined,
    decimals: numeric(json, 'decimals'),
    min: numeric(json, 'min'),
    max: numeric(json, 'max'),
    noValue: text(json, 'noValue'),
    color: isObject(json.color)
      ? defined({
          mode: text(color, 'mode') ?? 'palette-classic',
          fixedColor: text(color, 'fixedColor'),
          seriesBy: text(color, 'seriesBy'),
        })
      : undefined,
    thresholds: isObject(json.thresholds) ? readThresholds(json.thresholds) : undefined,
    mappings: Array.isArray(json.mappings)
      ? objects(json, 'mappings').flatMap(readMapping)
      : undefined,
    links: Array.isArray(json.links) ? objects(json, 'links').map(readLink) : undefined,
    filterable: typeof json.filterable === 'boolean' ? json.filterable : undefined,
    custom: isObject(json.custom) ? json.custom : undefined,
  }) as FieldOptions;
}

export function readThresholds(json: Json): Thresholds {
  return {
    mode: text(json, 'mode') === 'percentage' ? 'percentage' : 'absolute',
    steps: objects(json, 'steps')
      .map((step) => ({
        value: numeric(step, 'value') ?? Number.NEGATIVE_INFINITY,
        color: text(step, 'color') ?? 'green',
      }))
      .sort((a, b) => a.value - b.value),
  };
}

export function readMapping(json: Json): Mapping[] {
  const options = object(json, 'options');
  switch (json.type) {
    case 'value': {
      const rows = Object.entries(options).filter((entry): entry is [string, Json] =>
        isObject(entry[1]),
      );
      return [
        {
          type: 'value',
          options: Object.fromEntries(rows.map(([key, value]) => [key, result(value)])),
        },
      ];
    }
    case 'range':
      return [
        {
          type: 'range',
          from: numeric(options, 'from') ?? null,
          to: numeric(options, 'to') ?? null,
          result: result(object(options, 'result')),
        },
      ];
    case 'regex':
      return [
        {
          type: 'regex',
          pattern: text(options, 'pattern') ?? '',
          result: result(object(options, 'result')),
        },
      ];
    case 'special':
      return [
        {
          type: 'special',
          match: text(options, 'match') ?? '',
          result: result(object(options, 'result')),
        },
      ];
    // The shapes before schema version 28.
    case 1:
      return [{ type: 'value', options: { [String(json.value ?? '')]: result(json) } }];
    case 2:
      return [
        {
          type: 'range',
          from: numeric(json, 'from') ?? null,
          to: numeric(json, 'to') ?? null,
          result: result(json),
        },
      ];
    default:
      return [];
  }
}

function result(json: Json): MappingResult {
  return defined({
    text: text(json, 'text'),
    color: text(json, 'color'),
    index: numeric(json, 'index'),
  }) as MappingResult;
}

function override(json: Json): Override {
  const matcher = object(json, 'matcher');
  return {
    matcher: { id: text(matcher, 'id') ?? '', options: matcher.options },
    properties: objects(json, 'properties').map((p) => ({
      id: text(p, 'id') ?? '',
      value: p.value,
    })),
  };
}

export function readLink(json: Json): Link {
  return {
    title: text(json, 'title') ?? '',
    url: text(json, 'url') ?? text(json, 'dashUri') ?? '',
    newTab: flag(json, 'targetBlank') || flag(json, 'openInNewTab'),
  };
}
