/** Lines as a file: as text, or as JSON with all that is known of each. Pure. */

import type { LogRow } from '../../panels/logs/prepare';

export function asText(rows: readonly LogRow[]): string {
  return rows.map((row) => `${new Date(row.ms).toISOString()} ${row.line}\n`).join('');
}

export function asJson(rows: readonly LogRow[]): string {
  const lines = rows.map((row) => ({
    timestamp: row.source?.ns ?? `${row.ms}000000`,
    time: new Date(row.ms).toISOString(),
    level: row.level,
    line: row.line,
    labels: row.labels,
  }));
  return `${JSON.stringify(lines, null, 1)}\n`;
}
