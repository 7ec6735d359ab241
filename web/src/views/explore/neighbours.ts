/** A line and those around it, oldest first. Pure. */

import { compareNanos, type LogLine } from '../../api/loki';

export function neighbours(
  line: LogLine,
  before: readonly LogLine[],
  after: readonly LogLine[],
): { readonly lines: readonly LogLine[]; readonly at: number } {
  const sort = (of: readonly LogLine[]) => [...of].sort((a, b) => compareNanos(a.ns, b.ns));
  const older = sort(before);
  const newer = sort(after);
  const own = newer.findIndex((other) => other.ns === line.ns && other.line === line.line);
  // A line that the expression rewrote is not among those of its stream.
  const lines = own < 0 ? [...older, line, ...newer] : [...older, ...newer];
  return { lines, at: older.length + Math.max(own, 0) };
}
