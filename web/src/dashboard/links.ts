/** Data links: what a link's address may say of the value it stands at. Pure. */

import { displayName, type Field, fillLabels } from '../frame/frame';
import { safeUrl } from '../lib/link';
import { optionsOf } from './fields/apply';

export type At = { readonly value?: unknown; readonly text?: string; readonly ms?: number };

export type ShownLink = { readonly title: string; readonly href: string; readonly newTab: boolean };

/** The links of a field, with its labels, the value and the dashboard's variables written in. */
export function linksOf(
  field: Field,
  at: At,
  interpolate: (template: string) => string,
): readonly ShownLink[] {
  return (optionsOf(field).links ?? []).map((link) => ({
    title: interpolate(fill(link.title, field, at, (text) => text)) || link.url,
    href: safeUrl(interpolate(fill(link.url, field, at, encodeURIComponent))),
    newTab: link.newTab,
  }));
}

function fill(template: string, field: Field, at: At, encode: (text: string) => string): string {
  const name = displayName(field, []);
  return fillLabels(
    template
      .replace(
        /\$\{__(?:field|series)\.(?:labels\.|labels\[")([^}"]+)(?:"\])?\}/g,
        (_, key: string) => encode(field.labels?.[key] ?? ''),
      )
      .replace(/\$\{__(?:field|series)\.(?:name|displayName)\}/g, () => encode(name))
      .replace(/\$\{__value\.text\}/g, () => encode(at.text ?? String(at.value ?? '')))
      .replace(/\$\{__value\.time\}/g, () => String(at.ms ?? ''))
      .replace(/\$\{__value(?:\.(?:raw|numeric))?\}/g, () => encode(String(at.value ?? ''))),
    field,
  );
}
