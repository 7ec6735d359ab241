/** Frames as comma-separated values (RFC 4180), series joined by time where they are series. */

import { displayName, type Frame } from './frame';

/** A cell that a spreadsheet would take for a formula is kept from being one. */
function quoted(value: unknown): string {
  const text =
    value === null || value === undefined
      ? ''
      : typeof value === 'object'
        ? JSON.stringify(value)
        : String(value);
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

export function csv(frames: readonly Frame[]): string {
  const lines = frames.flatMap((frame, at) => {
    const names = frame.fields.map((f) => quoted(displayName(f, frames))).join(',');
    const rows = Array.from({ length: frame.length }, (_, row) =>
      frame.fields
        .map((f) => quoted(f.type === 'time' ? isoTime(f.values[row]) : f.values[row]))
        .join(','),
    );
    return [...(at === 0 ? [] : ['']), names, ...rows];
  });
  return `${lines.join('\r\n')}\r\n`;
}

function isoTime(value: unknown): string {
  return typeof value === 'number' && Number.isFinite(value) ? new Date(value).toISOString() : '';
}
