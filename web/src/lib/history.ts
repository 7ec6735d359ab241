/** Expressions that were run, newest first: kept in this browser alone, bounded. */

export type Past = { readonly expr: string; readonly at: number };

const ENTRIES_MAX = 100;
/** Longer expressions are not remembered. */
const LENGTH_MAX = 5_000;

/** The list with one more; an expression stands in it once. */
export function remembered(past: readonly Past[], expr: string, at: number): readonly Past[] {
  if (expr.trim() === '' || expr.length > LENGTH_MAX) return past;
  return [{ expr, at }, ...past.filter((p) => p.expr !== expr)].slice(0, ENTRIES_MAX);
}

const key = (kind: string) => `masthead.history.${kind}`;

export function readHistory(kind: string, storage: Pick<Storage, 'getItem'>): readonly Past[] {
  try {
    const found: unknown = JSON.parse(storage.getItem(key(kind)) ?? '[]');
    if (!Array.isArray(found)) return [];
    return found
      .filter((p): p is Past => typeof p?.expr === 'string' && typeof (p as Past).at === 'number')
      .slice(0, ENTRIES_MAX);
  } catch {
    return [];
  }
}

export function writeHistory(
  kind: string,
  past: readonly Past[],
  storage: Pick<Storage, 'setItem'>,
): void {
  try {
    storage.setItem(key(kind), JSON.stringify(past));
  } catch {
    // A full or forbidden storage costs the history, nothing else.
  }
}
