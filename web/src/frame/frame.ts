/**
 * Columns of equal length: what every query answers, every transformation changes and every panel
 * draws. No React, no fetch; values are never changed in place.
 */

export type FieldType = 'time' | 'number' | 'string' | 'boolean' | 'other';

export type Labels = Readonly<Record<string, string>>;

/** How the cells of a field are shown; what a dashboard's field options come down to. */
export type FieldConfig = {
  readonly displayName?: string;
  readonly unit?: string;
  readonly decimals?: number;
  readonly min?: number;
  readonly max?: number;
  readonly noValue?: string;
  /** Of a time column: the distance of two points of a series without gaps. */
  readonly step?: number;
  /** Options that only one panel type understands, such as `drawStyle`. */
  readonly custom?: Readonly<Record<string, unknown>>;
};

export type Field<V = unknown> = {
  readonly name: string;
  readonly type: FieldType;
  readonly values: readonly V[];
  readonly labels?: Labels;
  readonly config: FieldConfig;
};

export type Frame = {
  /** The letter of the query that it answers. */
  readonly refId?: string;
  readonly name?: string;
  readonly fields: readonly Field[];
  readonly length: number;
};

export function field<V>(
  name: string,
  type: FieldType,
  values: readonly V[],
  more: { labels?: Labels; config?: FieldConfig } = {},
): Field<V> {
  return {
    name,
    type,
    values,
    config: more.config ?? {},
    ...(more.labels === undefined ? {} : { labels: more.labels }),
  };
}

/** A frame of fields; shorter fields are an error of the caller. */
export function frame(
  fields: readonly Field[],
  more: { refId?: string | undefined; name?: string | undefined } = {},
): Frame {
  const length = fields[0]?.values.length ?? 0;
  const odd = fields.find((f) => f.values.length !== length);
  if (odd !== undefined)
    throw new Error(`BUG: field ${odd.name} has ${odd.values.length} of ${length} values`);
  return {
    fields,
    length,
    ...(more.refId === undefined ? {} : { refId: more.refId }),
    ...(more.name === undefined ? {} : { name: more.name }),
  };
}

/** `{a="1", b="2"}` as Prometheus writes label sets, the metric's name in front. */
export function formatLabels(labels: Labels): string {
  const name = labels.__name__ ?? '';
  const pairs = Object.keys(labels)
    .filter((key) => key !== '__name__')
    .sort()
    .map((key) => `${key}=${JSON.stringify(labels[key])}`);
  if (pairs.length === 0 && name !== '') return name;
  return `${name}{${pairs.join(', ')}}`;
}

/**
 * What a field is called: its configured name, else what tells it apart from the other fields of
 * the panel, as Grafana's `getFieldDisplayName` does.
 */
export function displayName(of: Field, frames: readonly Frame[]): string {
  if (of.config.displayName !== undefined && of.config.displayName !== '') {
    return fillLabels(of.config.displayName, of);
  }
  const home = frames.find((f) => f.fields.includes(of));
  if (of.type === 'time') return of.name === '' ? 'Time' : numbered(of, home);
  const labels = of.labels ?? {};
  const keys = Object.keys(labels);
  if (keys.length === 0)
    return of.name !== 'Value' || home?.name === undefined ? numbered(of, home) : home.name;
  if (keys.length === 1 && of.name === 'Value') return labels[keys[0] ?? ''] ?? of.name;
  return of.name === 'Value' ? formatLabels(labels) : `${of.name} ${formatLabels(labels)}`;
}

/** The name of a field, with its number where fields of one frame share it: `Time 1`, `Time 2`. */
function numbered(of: Field, home: Frame | undefined): string {
  const same = home?.fields.filter((field) => field.name === of.name) ?? [];
  return same.length < 2 ? of.name : `${of.name} ${same.indexOf(of) + 1}`;
}

/** `${__field.labels.job}`, `${__field.name}` and the older `{{job}}`. */
export function fillLabels(template: string, of: Field): string {
  return template
    .replace(
      /\$\{__(?:field|series)\.labels\.([^}]+)\}/g,
      (_, key: string) => of.labels?.[key] ?? '',
    )
    .replace(/\$\{__field\.labels\}/g, () => formatLabels(of.labels ?? {}))
    .replace(/\$\{__(?:field|series)\.name\}/g, () => of.name)
    .replace(/\{\{\s*([^}\s]+)\s*\}\}/g, (_, key: string) => of.labels?.[key] ?? '');
}
