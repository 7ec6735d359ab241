/** Lines as a file: as text, or as JSON with all that is known of each. Pure. */

import type { LogRow, Rows } from '../../panels/logs/prepare';

/** Rows of one piece: a browser has no text of half a gigabyte, but files in as many pieces. */
const PIECE = 10_000;

export function asText(rows: Rows): string[] {
  return pieces(rows, (row) => `${new Date(row.ms).toISOString()} ${row.line}\n`);
}

export function asJson(rows: Rows): string[] {
  const lines = pieces(rows, (row, at) => {
    const line = {
      timestamp: row.source?.ns ?? `${row.ms}000000`,
      time: new Date(row.ms).toISOString(),
      level: row.level,
      line: row.line,
      labels: row.labels,
    };
    return `${at === 0 ? '' : ',\n'}${JSON.stringify(line)}`;
  });
  return ['[', ...lines, ']\n'];
}

function pieces(rows: Rows, write: (row: LogRow, at: number) => string): string[] {
  const found: string[] = [];
  for (let from = 0; from < rows.length; from += PIECE) {
    let piece = '';
    for (let at = from; at < Math.min(from + PIECE, rows.length); at += 1) {
      const row = rows.at(at);
      if (row !== undefined) piece += write(row, at);
    }
    found.push(piece);
  }
  return found;
}
