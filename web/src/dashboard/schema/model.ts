/**
 * A dashboard after reading: typed, of the newest shape, with everything that is drawn.
 *
 * What a file asks for beyond this is in the list of unsupported features that reading returns; it
 * never makes reading fail.
 */

import type { Json } from '../../lib/json';
import type { RawRange } from '../../lib/time/relative';
import type { Zone } from '../../lib/time/zone';

export type SourceKind = 'prometheus' | 'loki' | 'grafana' | 'dashboard' | 'mixed' | 'unknown';

/** Where a query goes; a uid may hold a variable, such as `${datasource}`. */
export type SourceRef = { readonly kind: SourceKind; readonly uid?: string };

export type Target = {
  readonly refId: string;
  readonly expr: string;
  readonly legend?: string;
  readonly instant: boolean;
  readonly range: boolean;
  readonly format: 'time_series' | 'table' | 'heatmap';
  readonly hide: boolean;
  readonly exemplar: boolean;
  readonly interval?: string;
  readonly maxLines?: number;
  readonly direction?: 'backward' | 'forward';
  readonly source: SourceRef;
  /** For the source `dashboard`: the panel whose answer is used again. */
  readonly panelId?: number;
};

export type Grid = {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
};

export type Mapping =
  | { readonly type: 'value'; readonly options: Readonly<Record<string, MappingResult>> }
  | {
      readonly type: 'range';
      readonly from: number | null;
      readonly to: number | null;
      readonly result: MappingResult;
    }
  | { readonly type: 'regex'; readonly pattern: string; readonly result: MappingResult }
  | { readonly type: 'special'; readonly match: string; readonly result: MappingResult };

export type MappingResult = {
  readonly text?: string;
  readonly color?: string;
  readonly index?: number;
};

export type Threshold = { readonly value: number; readonly color: string };
export type Thresholds = {
  readonly mode: 'absolute' | 'percentage';
  readonly steps: readonly Threshold[];
};

export type ColorMode = {
  readonly mode: string;
  readonly fixedColor?: string;
  readonly seriesBy?: string;
};

export type Link = {
  readonly title: string;
  readonly url: string;
  readonly newTab: boolean;
};

/** Field options: of all fields of a panel, or of those that an override matches. */
export type FieldOptions = {
  readonly displayName?: string;
  readonly unit?: string;
  readonly decimals?: number;
  readonly min?: number;
  readonly max?: number;
  readonly noValue?: string;
  readonly color?: ColorMode;
  readonly thresholds?: Thresholds;
  readonly mappings?: readonly Mapping[];
  readonly links?: readonly Link[];
  readonly filterable?: boolean;
  readonly custom?: Json;
};

export type Override = {
  readonly matcher: { readonly id: string; readonly options: unknown };
  readonly properties: readonly { readonly id: string; readonly value: unknown }[];
};

export type Transformation = {
  readonly id: string;
  readonly options: Json;
  readonly filter?: string;
};

export type Panel = {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly grid: Grid;
  readonly source: SourceRef;
  readonly targets: readonly Target[];
  readonly defaults: FieldOptions;
  readonly overrides: readonly Override[];
  readonly options: Json;
  readonly transformations: readonly Transformation[];
  readonly links: readonly Link[];
  readonly transparent: boolean;
  readonly repeat?: string;
  readonly repeatDirection: 'h' | 'v';
  readonly maxPerRow: number;
  readonly interval?: string;
  readonly maxDataPoints?: number;
  readonly timeFrom?: string;
  readonly timeShift?: string;
  /** Of a row: whether its panels are hidden, and those of a collapsed one. */
  readonly collapsed: boolean;
  readonly panels: readonly Panel[];
};

export type VariableKind =
  | 'query'
  | 'custom'
  | 'constant'
  | 'textbox'
  | 'interval'
  | 'datasource'
  | 'adhoc'
  | 'switch';

export type Choice = { readonly value: string; readonly text: string };

export type Variable = {
  readonly name: string;
  readonly kind: VariableKind;
  readonly label: string;
  readonly hide: 'none' | 'label' | 'all';
  readonly query: string;
  /** Of Loki label queries, whose parts are in separate fields. */
  readonly lokiQuery?: { readonly label: string; readonly stream: string };
  readonly regex: string;
  readonly sort: number;
  readonly multi: boolean;
  readonly includeAll: boolean;
  readonly allValue?: string;
  readonly refreshOnTime: boolean;
  readonly source: SourceRef;
  readonly choices: readonly Choice[];
  readonly current: readonly string[];
  /** Of the kind `interval`: whether `auto` is offered, in how many steps, and not below what. */
  readonly auto?: { readonly count: number; readonly min: string };
};

export type Annotation = {
  readonly name: string;
  readonly enabled: boolean;
  readonly hidden: boolean;
  readonly color: string;
  readonly expr: string;
  readonly source: SourceRef;
  readonly titleFormat?: string;
  readonly textFormat?: string;
  readonly tagKeys?: string;
  readonly step?: string;
  readonly builtIn: boolean;
};

export type DashboardLink = {
  readonly title: string;
  readonly kind: 'link' | 'dashboards';
  readonly url: string;
  readonly tags: readonly string[];
  readonly newTab: boolean;
  readonly keepTime: boolean;
  readonly includeVars: boolean;
  readonly asDropdown: boolean;
};

export type Dashboard = {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly schemaVersion: number;
  readonly timezone: Zone;
  readonly time: RawRange;
  readonly refresh: string;
  readonly sharedCrosshair: boolean;
  readonly variables: readonly Variable[];
  readonly annotations: readonly Annotation[];
  readonly links: readonly DashboardLink[];
  readonly panels: readonly Panel[];
};

/** Something a file asks for that is not drawn, and where. */
export type Unsupported = { readonly where: string; readonly what: string };

export type Read =
  | {
      readonly ok: true;
      readonly dashboard: Dashboard;
      readonly unsupported: readonly Unsupported[];
    }
  | { readonly ok: false; readonly error: string };
