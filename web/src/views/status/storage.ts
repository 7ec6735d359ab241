/** What is kept and for how long, from the server's own metrics and flags. Pure. */

import type { MetricFamily } from '../../api/generated';
import type { Labels } from '../../frame/frame';
import { formatDuration, parseDuration } from '../../lib/time/duration';

export type Store = {
  readonly name: string;
  readonly parts: readonly { readonly name: string; readonly bytes: number }[];
  readonly bytes: number;
  readonly time: string;
  readonly size: string;
};

const PARTS = [
  ['blocks', 'block_bytes'],
  ['journal', 'journal_bytes'],
  ['head', 'head_file_bytes'],
] as const;

export function storesOf(families: readonly MetricFamily[], flags: Labels): readonly Store[] {
  const value = (name: string) =>
    families
      .find((f) => f.name === name)
      ?.metric.reduce((sum, m) => sum + (Number(m.gauge?.value) || 0), 0);
  const store = (name: string, metrics: string, flag: string): Store => {
    const parts = PARTS.flatMap(([part, end]) => {
      const bytes = value(`masthead_${metrics}_${end}`);
      return bytes === undefined ? [] : [{ name: part, bytes }];
    });
    return {
      name,
      parts,
      bytes: parts.reduce((sum, part) => sum + part.bytes, 0),
      time: limit(flags[`${flag}.retention.time`]),
      size: limit(flags[`${flag}.retention.size`]),
    };
  };
  return [store('Metrics', 'tsdb', 'storage'), store('Logs', 'logs', 'logs')];
}

/** What a flag of retention says; 0 is for ever. */
function limit(text: string | undefined): string {
  if (text === undefined) return 'unknown';
  if (/^0[a-zA-Z]*$/.test(text)) return 'no limit';
  const ms = /[smhdwy]$/.test(text) ? parseDuration(text) : undefined;
  return ms === undefined ? text : formatDuration(ms);
}
