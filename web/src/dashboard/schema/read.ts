/**
 * From a dashboard file of Grafana, of any schema version from 16 to 42, to the model.
 *
 * Older shapes are brought to the newest on the way (`panel.ts`, `legacy.ts`). Nothing here throws
 * for what a file holds: what is not understood is named in the list, and the rest is drawn.
 */

import {
  defined,
  flag,
  isObject,
  type Json,
  list,
  numeric,
  object,
  objects,
  text,
  texts,
} from '../../lib/json';
import { zoneOf } from '../../lib/time/zone';
import { FEATURES, unknownFormats } from './features';
import type { Annotation, Dashboard, DashboardLink, Panel, Read, Unsupported } from './model';
import { readPanel } from './panel';
import { readSource, type Sources, sourcesIn } from './source';
import { readVariable } from './variable';

/** What reading passes down: the report, and data sources that an export left to be chosen. */
export type Context = {
  readonly report: (where: string, what: string) => void;
  readonly sources: Sources;
};

export function readDashboard(file: unknown): Read {
  if (!isObject(file))
    return { ok: false, error: 'not a dashboard: the file is not a JSON object' };
  // A file from the API holds the dashboard beside its metadata.
  const json = isObject(file.dashboard) && !('panels' in file) ? file.dashboard : file;
  const version = text(json, 'apiVersion') ?? '';
  if (isObject(json.spec) && isObject(json.spec.elements)) {
    return {
      ok: false,
      error: `dashboards of the new schema (${version === '' ? 'v2' : version}) are not supported: export it as "Classic"`,
    };
  }
  const classic =
    isObject(json.spec) && isObject(json.metadata) ? withUid(json.spec, json.metadata) : json;
  if (isObject(classic.elements)) {
    return {
      ok: false,
      error: 'dashboards of the new schema (v2) are not supported: export it as "Classic"',
    };
  }
  if (!Array.isArray(classic.panels) && !Array.isArray(classic.rows)) {
    return { ok: false, error: 'not a dashboard: neither `panels` nor `rows`' };
  }
  return classicDashboard(classic);
}

function withUid(spec: Json, metadata: Json): Json {
  return { uid: text(metadata, 'name'), ...spec };
}

function classicDashboard(json: Json): Read {
  const unsupported: Unsupported[] = [];
  const context: Context = {
    report: (where, what) => {
      if (!unsupported.some((u) => u.where === where && u.what === what))
        unsupported.push({ where, what });
    },
    sources: sourcesIn(json),
  };
  const schemaVersion = numeric(json, 'schemaVersion') ?? 0;
  if (schemaVersion > FEATURES.newestSchema)
    context.report(
      'dashboard',
      `schemaVersion ${schemaVersion} (newest known: ${FEATURES.newestSchema})`,
    );
  for (const format of [...unknownFormats(json)].sort())
    context.report('dashboard', `variable format ${format}`);
  const time = object(json, 'time');
  const dashboard: Dashboard = {
    uid: text(json, 'uid') ?? '',
    title: text(json, 'title') ?? 'Untitled',
    description: text(json, 'description') ?? '',
    tags: texts(json, 'tags'),
    schemaVersion,
    timezone: zoneOf(text(json, 'timezone')),
    time: { from: text(time, 'from') ?? 'now-6h', to: text(time, 'to') ?? 'now' },
    refresh: text(json, 'refresh') ?? '',
    sharedCrosshair: (numeric(json, 'graphTooltip') ?? 0) > 0 || flag(json, 'sharedCrosshair'),
    variables: objects(object(json, 'templating'), 'list').flatMap(
      (v) => readVariable(v, context) ?? [],
    ),
    annotations: objects(object(json, 'annotations'), 'list').map((a) => annotation(a, context)),
    links: objects(json, 'links').map(dashboardLink),
    panels: shared(withRows(panels(json, context))),
  };
  return { ok: true, dashboard, unsupported };
}

/** Panels of the file; the oldest files keep them in rows of spans out of twelve. */
function panels(json: Json, context: Context): Panel[] {
  if (!Array.isArray(json.rows) || list(json, 'rows').length === 0) {
    return objects(json, 'panels').flatMap((p) => readPanel(p, context) ?? []);
  }
  const placed: Panel[] = [];
  let y = 0;
  let id = 10_000;
  for (const row of objects(json, 'rows')) {
    const rowHeight = Math.ceil(
      (numeric(row, 'height') ?? parseFloat(text(row, 'height') ?? '250')) / 30,
    );
    const title = text(row, 'title') ?? '';
    if (flag(row, 'showTitle') || flag(row, 'collapse')) {
      placed.push(...readRow(id, title, y, flag(row, 'collapse'), context));
      id += 1;
      y += 1;
    }
    let x = 0;
    for (const panel of objects(row, 'panels')) {
      const w = Math.min(24, Math.max(1, Math.round((numeric(panel, 'span') ?? 4) * 2)));
      if (x + w > 24) {
        x = 0;
        y += rowHeight;
      }
      const read = readPanel({ ...panel, gridPos: { x, y, w, h: rowHeight } }, context);
      if (read !== undefined) placed.push(read);
      x += w;
    }
    y += rowHeight;
  }
  return placed;
}

function readRow(
  id: number,
  title: string,
  y: number,
  collapsed: boolean,
  context: Context,
): Panel[] {
  const row = readPanel(
    { id, type: 'row', title, collapsed, gridPos: { x: 0, y, w: 24, h: 1 } },
    context,
  );
  return row === undefined ? [] : [row];
}

/** Gives the panels below an open row to it, so that a row is one thing whether open or not. */
function withRows(flat: readonly Panel[]): Panel[] {
  const sorted = [...flat].sort((a, b) => a.grid.y - b.grid.y || a.grid.x - b.grid.x);
  const placed: Panel[] = [];
  for (const panel of sorted) {
    const last = placed.at(-1);
    if (
      panel.type !== 'row' &&
      last?.type === 'row' &&
      (!last.collapsed || last.panels.length === 0)
    ) {
      placed[placed.length - 1] = { ...last, panels: [...last.panels, panel] };
    } else {
      placed.push(panel);
    }
  }
  return placed;
}

/** Panels that use the answer of another one ask its questions themselves. */
function shared(all: readonly Panel[]): Panel[] {
  const byId = new Map(all.flatMap((p) => [p, ...p.panels]).map((p) => [p.id, p]));
  const resolved = (panel: Panel): Panel => {
    const targets = panel.targets.flatMap((target) =>
      target.source.kind === 'dashboard'
        ? (byId.get(target.panelId ?? -1)?.targets ?? []).filter(
            (t) => t.source.kind !== 'dashboard',
          )
        : [target],
    );
    return { ...panel, targets, panels: panel.panels.map(resolved) };
  };
  return all.map(resolved);
}

function annotation(json: Json, context: Context): Annotation {
  const source = readSource(json.datasource, context.sources);
  const builtIn = json.builtIn === 1 || json.builtIn === true;
  const target = object(json, 'target');
  if (!builtIn && source.kind !== 'prometheus' && source.kind !== 'loki') {
    context.report(`annotation ${text(json, 'name') ?? ''}`, `data source ${source.kind}`);
  }
  return defined({
    name: text(json, 'name') ?? '',
    enabled: json.enable !== false,
    hidden: flag(json, 'hide'),
    color: text(json, 'iconColor') ?? 'blue',
    expr: text(json, 'expr') ?? text(target, 'expr') ?? '',
    source,
    titleFormat: text(json, 'titleFormat'),
    textFormat: text(json, 'textFormat'),
    tagKeys: text(json, 'tagKeys'),
    step: text(json, 'step'),
    builtIn,
  }) as Annotation;
}

function dashboardLink(json: Json): DashboardLink {
  return {
    title: text(json, 'title') ?? '',
    kind: text(json, 'type') === 'dashboards' ? 'dashboards' : 'link',
    url: text(json, 'url') ?? '',
    tags: texts(json, 'tags'),
    newTab: flag(json, 'targetBlank'),
    keepTime: flag(json, 'keepTime'),
    includeVars: flag(json, 'includeVars'),
    asDropdown: flag(json, 'asDropdown'),
  };
}
