/**
 * Panels of the years before: `graph` and `singlestat` become `timeseries` and `stat`, the table of
 * before becomes the table of today, gauges keep their thresholds. Options without a successor are
 * dropped; what they did is not drawn today by Grafana either.
 */

import { defined, flag, isObject, type Json, numeric, object, objects, text } from '../../lib/json';

export function fromLegacy(panel: Json): Json {
  const fieldOptions = object(object(panel, 'options'), 'fieldOptions');
  if (Object.keys(fieldOptions).length > 0) return fromFieldOptions(panel, fieldOptions);
  switch (panel.type) {
    case 'heatmap':
      return isObject(panel.options) && Object.keys(panel.options).length > 0
        ? panel
        : heatmap(panel);
    case 'graph':
      return graph(panel);
    case 'singlestat':
    case 'grafana-singlestat-panel':
      return singlestat(panel);
    case 'table-old':
      return { ...panel, type: 'table' };
    case 'grafana-piechart-panel':
      return {
        ...panel,
        type: 'piechart',
        options: {
          pieType: text(panel, 'pieType') ?? 'pie',
          reduceOptions: reducer(text(panel, 'valueName') ?? 'current'),
        },
      };
    case 'table':
      return Array.isArray(panel.styles) && !isObject(panel.fieldConfig)
        ? tableStyles(panel)
        : panel;
    case 'text':
      return isObject(panel.options)
        ? panel
        : {
            ...panel,
            options: {
              mode: text(panel, 'mode') ?? 'markdown',
              content: text(panel, 'content') ?? '',
            },
          };
    default:
      return panel;
  }
}

/** Gauges and stats of 2019 kept field options among the panel's own. */
function fromFieldOptions(panel: Json, of: Json): Json {
  const { fieldOptions: _moved, ...options } = object(panel, 'options');
  const defaults = object(of, 'defaults');
  const steps = Array.isArray(of.thresholds) ? objects(of, 'thresholds') : undefined;
  return {
    ...panel,
    fieldConfig: {
      defaults: {
        ...defaults,
        ...(steps === undefined ? {} : { thresholds: { mode: 'absolute', steps } }),
        ...(Array.isArray(of.mappings) ? { mappings: of.mappings } : {}),
      },
      overrides: Array.isArray(of.overrides) ? of.overrides : [],
    },
    options: {
      ...options,
      reduceOptions: defined({
        calcs: Array.isArray(of.calcs) ? of.calcs : undefined,
        values: flag(of, 'values'),
        limit: numeric(of, 'limit'),
        fields: '',
      }),
    },
  };
}

const SCHEMES: Readonly<Record<string, string>> = Object.fromEntries(
  ['Oranges', 'Blues', 'Greens', 'Greys', 'Purples', 'Reds', 'Spectral', 'Viridis', 'Plasma']
    .concat(['Inferno', 'Magma', 'Turbo', 'RdYlGn', 'RdYlBu', 'YlOrRd', 'YlGnBu', 'PuBuGn'])
    .map((name) => [`interpolate${name}`, name]),
);

/** A heatmap from before Grafana 9 keeps its options beside its title. */
function heatmap(panel: Json): Json {
  const color = object(panel, 'color');
  const yAxis = object(panel, 'yAxis');
  const opacity = text(color, 'mode') === 'opacity';
  return {
    ...panel,
    options: {
      calculate: text(panel, 'dataFormat') !== 'tsbuckets',
      color: defined({
        mode: opacity ? 'opacity' : 'scheme',
        fill: text(color, 'cardColor'),
        scale: text(color, 'colorScale') === 'linear' ? 'linear' : 'exponential',
        exponent: numeric(color, 'exponent'),
        scheme: SCHEMES[text(color, 'colorScheme') ?? ''] ?? 'Oranges',
        min: numeric(color, 'min'),
        max: numeric(color, 'max'),
      }),
      yAxis: defined({
        unit: text(yAxis, 'format'),
        decimals: numeric(yAxis, 'decimals'),
        min: numeric(yAxis, 'min'),
        max: numeric(yAxis, 'max'),
        reverse: flag(panel, 'reverseYBuckets'),
      }),
      legend: { show: object(panel, 'legend').show === true },
    },
  };
}

const NULLS: Readonly<Record<string, boolean | string>> = {
  null: false,
  connected: true,
  'null as zero': false,
};

function graph(panel: Json): Json {
  const axes = objects(panel, 'yaxes');
  const [left = {}, right = {}] = axes;
  const xaxis = object(panel, 'xaxis');
  const histogram = text(xaxis, 'mode') === 'histogram';
  const stack = flag(panel, 'stack');
  const lines = panel.lines !== false;
  const custom = {
    drawStyle: flag(panel, 'bars') ? 'bars' : lines ? 'line' : 'points',
    lineWidth: lines ? (numeric(panel, 'linewidth') ?? 1) : 0,
    fillOpacity:
      flag(panel, 'bars') && panel.fill === undefined ? 100 : (numeric(panel, 'fill') ?? 1) * 10,
    gradientMode: (numeric(panel, 'fillGradient') ?? 0) > 0 ? 'opacity' : 'none',
    lineInterpolation: flag(panel, 'steppedLine') ? 'stepAfter' : 'linear',
    pointSize: (numeric(panel, 'pointradius') ?? 2) * 2,
    showPoints: flag(panel, 'points') ? 'always' : 'never',
    spanNulls: NULLS[text(panel, 'nullPointMode') ?? 'null'] ?? false,
    stacking: {
      mode: stack ? (flag(panel, 'percentage') ? 'percent' : 'normal') : 'none',
      group: 'A',
    },
    axisPlacement: left.show === false ? 'hidden' : 'auto',
    axisLabel: text(left, 'label') ?? '',
    scaleDistribution:
      (numeric(left, 'logBase') ?? 1) > 1
        ? { type: 'log', log: numeric(left, 'logBase') }
        : { type: 'linear' },
  };
  const legend = object(panel, 'legend');
  const thresholds = objects(panel, 'thresholds');
  return {
    ...panel,
    type: histogram ? 'histogram' : 'timeseries',
    fieldConfig: {
      defaults: defined({
        unit: text(left, 'format'),
        min: numeric(left, 'min'),
        max: numeric(left, 'max'),
        decimals: numeric(left, 'decimals') ?? numeric(panel, 'decimals'),
        custom: {
          ...custom,
          ...(thresholds.length > 0 ? { thresholdsStyle: { mode: 'line+area' } } : {}),
        },
        thresholds:
          thresholds.length > 0
            ? { mode: 'absolute', steps: thresholdSteps(thresholds) }
            : undefined,
      }),
      overrides: [...aliasColors(panel), ...seriesOverrides(panel, right)],
    },
    options: {
      legend: {
        showLegend: legend.show !== false,
        displayMode: flag(legend, 'alignAsTable') ? 'table' : 'list',
        placement: flag(legend, 'rightSide') ? 'right' : 'bottom',
        calcs: ['min', 'max', 'avg', 'current', 'total']
          .filter((calc) => flag(legend, calc))
          .map(calcName),
      },
      tooltip: {
        mode: flag(object(panel, 'tooltip'), 'shared') ? 'multi' : 'single',
        sort: sortName(numeric(object(panel, 'tooltip'), 'sort') ?? 0),
      },
    },
  };
}

function calcName(old: string): string {
  return { avg: 'mean', current: 'lastNotNull', total: 'sum' }[old] ?? old;
}

function sortName(old: number): string {
  return old === 1 ? 'asc' : old === 2 ? 'desc' : 'none';
}

function thresholdSteps(thresholds: readonly Json[]) {
  const colors: Readonly<Record<string, string>> = {
    critical: 'red',
    warning: 'orange',
    ok: 'green',
  };
  const base = { value: null, color: 'transparent' };
  const steps = thresholds.map((t) => ({
    value: numeric(t, 'value') ?? 0,
    color: colors[text(t, 'colorMode') ?? ''] ?? text(t, 'fillColor') ?? 'red',
  }));
  return [base, ...steps];
}

function aliasColors(panel: Json): Json[] {
  return Object.entries(object(panel, 'aliasColors')).map(([name, color]) => ({
    matcher: { id: 'byName', options: name },
    properties: [{ id: 'color', value: { mode: 'fixed', fixedColor: color } }],
  }));
}

function seriesOverrides(panel: Json, right: Json): Json[] {
  return objects(panel, 'seriesOverrides').map((o) => {
    const alias = text(o, 'alias') ?? '';
    const regex = alias.startsWith('/') && alias.lastIndexOf('/') > 0;
    const properties: Json[] = [];
    const add = (id: string, value: unknown) => properties.push({ id, value });
    if (o.yaxis === 2) {
      add('custom.axisPlacement', 'right');
      if (text(right, 'format') !== undefined) add('unit', right.format);
      if (numeric(right, 'min') !== undefined) add('min', numeric(right, 'min'));
      if (numeric(right, 'max') !== undefined) add('max', numeric(right, 'max'));
      if (text(right, 'label') !== undefined) add('custom.axisLabel', right.label);
    }
    if (typeof o.color === 'string') add('color', { mode: 'fixed', fixedColor: o.color });
    if (typeof o.fill === 'number') add('custom.fillOpacity', o.fill * 10);
    if (typeof o.linewidth === 'number') add('custom.lineWidth', o.linewidth);
    if (o.bars === true) add('custom.drawStyle', 'bars');
    if (o.lines === false && o.bars !== true) add('custom.lineWidth', 0);
    if (o.transform === 'negative-Y') add('custom.transform', 'negative-Y');
    if (o.stack === false) add('custom.stacking', { mode: 'none' });
    if (o.dashes === true)
      add('custom.lineStyle', {
        fill: 'dash',
        dash: [numeric(o, 'dashLength') ?? 10, numeric(o, 'spaceLength') ?? 10],
      });
    if (o.legend === false || o.hiddenSeries === true)
      add('custom.hideFrom', {
        legend: o.legend === false,
        viz: o.hiddenSeries === true,
        tooltip: false,
      });
    return { matcher: { id: regex ? 'byRegexp' : 'byName', options: alias }, properties };
  });
}

function reducer(valueName: string) {
  const calc =
    { avg: 'mean', current: 'lastNotNull', total: 'sum', name: 'last' }[valueName] ?? valueName;
  return { calcs: [calc], fields: '', values: false };
}

function singlestat(panel: Json): Json {
  const gauge = object(panel, 'gauge');
  const isGauge = flag(gauge, 'show');
  const colors = Array.isArray(panel.colors)
    ? panel.colors.map(String)
    : ['green', 'orange', 'red'];
  const bounds = (text(panel, 'thresholds') ?? '')
    .split(',')
    .filter((t) => t.trim() !== '')
    .map(Number);
  const steps = [
    { value: null, color: colors[0] ?? 'green' },
    ...bounds.map((value, at) => ({ value, color: colors[at + 1] ?? 'red' })),
  ];
  const colored = flag(panel, 'colorBackground') || flag(panel, 'colorValue') || isGauge;
  const valueMaps = objects(panel, 'valueMaps').map((m) => ({
    type: 'value',
    options: { [String(m.value ?? '')]: { text: text(m, 'text') ?? '' } },
  }));
  const rangeMaps = objects(panel, 'rangeMaps').map((m) => ({
    type: 'range',
    options: { from: m.from, to: m.to, result: { text: text(m, 'text') ?? '' } },
  }));
  const specials = valueMaps.map((m) =>
    'null' in m.options
      ? { type: 'special', options: { match: 'null', result: m.options.null } }
      : m,
  );
  return {
    ...panel,
    type: isGauge ? 'gauge' : 'stat',
    fieldConfig: {
      defaults: defined({
        unit: text(panel, 'format'),
        decimals: numeric(panel, 'decimals'),
        min: isGauge ? numeric(gauge, 'minValue') : undefined,
        max: isGauge ? numeric(gauge, 'maxValue') : undefined,
        noValue: text(panel, 'nullText'),
        color: { mode: colored ? 'thresholds' : 'fixed', fixedColor: 'text' },
        thresholds: { mode: 'absolute', steps: colored ? steps : [{ value: null, color: 'text' }] },
        mappings: numeric(panel, 'mappingType') === 2 ? rangeMaps : [...specials, ...rangeMaps],
      }),
      overrides: [],
    },
    options: {
      reduceOptions: reducer(text(panel, 'valueName') ?? 'avg'),
      colorMode: flag(panel, 'colorBackground')
        ? 'background'
        : flag(panel, 'colorValue')
          ? 'value'
          : 'none',
      graphMode: flag(object(panel, 'sparkline'), 'show') ? 'area' : 'none',
      textMode: text(panel, 'valueName') === 'name' ? 'name' : 'auto',
      justifyMode: 'auto',
      prefix: text(panel, 'prefix') ?? '',
      postfix: text(panel, 'postfix') ?? '',
    },
  };
}

function tableStyles(panel: Json): Json {
  const overrides = objects(panel, 'styles').flatMap((style) => {
    const pattern = text(style, 'pattern') ?? '';
    if (pattern === '' || pattern === '/.*/') return [];
    const regex = pattern.startsWith('/');
    const properties: Json[] = [];
    if (text(style, 'alias')) properties.push({ id: 'displayName', value: style.alias });
    if (text(style, 'unit')) properties.push({ id: 'unit', value: style.unit });
    if (numeric(style, 'decimals') !== undefined)
      properties.push({ id: 'decimals', value: style.decimals });
    if (text(style, 'type') === 'hidden') properties.push({ id: 'custom.hidden', value: true });
    if (flag(style, 'link')) {
      properties.push({
        id: 'links',
        value: [
          {
            title: text(style, 'linkTooltip') ?? '',
            url: text(style, 'linkUrl') ?? '',
            targetBlank: flag(style, 'linkTargetBlank'),
          },
        ],
      });
    }
    return properties.length === 0
      ? []
      : [{ matcher: { id: regex ? 'byRegexp' : 'byName', options: pattern }, properties }];
  });
  return { ...panel, fieldConfig: { defaults: {}, overrides }, options: { showHeader: true } };
}
