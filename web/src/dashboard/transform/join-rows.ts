/**
 * Which rows of several tables stand beside each other when the tables are joined on a key, as SQL
 * does it: a key that stands several times in both tables gives every pair. Pure.
 */

/** A joined row: of each table its row, or -1 where it has none. */
export type JoinedRow = readonly number[];

/** Pairs multiply; beyond this nobody reads a table. */
const ROWS_MAX = 100_000;

/**
 * Joins table after table to those before it. With `outer`, rows without a partner follow the pairs,
 * those of the tables before first; else they are left out. An empty key has no partner.
 */
export function joinRows(keys: readonly (readonly unknown[])[], outer: boolean): JoinedRow[] {
  const [first = [], ...others] = keys;
  let joined: JoinedRow[] = first.map((_, row) => [row]);
  others.forEach((right, at) => {
    const keyOf = (row: JoinedRow) => {
      const table = row.findIndex((of) => of >= 0);
      return keys[table]?.[row[table] ?? -1];
    };
    const rows = new Map<unknown, number[]>();
    right.forEach((key, row) => {
      const same = rows.get(key);
      if (same === undefined) rows.set(key, [row]);
      else same.push(row);
    });
    const pairs: JoinedRow[] = [];
    const alone: JoinedRow[] = [];
    const met = new Set<unknown>();
    for (const row of joined) {
      const key = keyOf(row);
      const partners = key === null || key === undefined ? undefined : rows.get(key);
      if (partners === undefined) {
        alone.push([...row, -1]);
        continue;
      }
      met.add(key);
      for (const partner of partners) if (pairs.length < ROWS_MAX) pairs.push([...row, partner]);
    }
    const left = Array.from({ length: at + 1 }, () => -1);
    const unmet = [...rows].flatMap(([key, own]) =>
      met.has(key) ? [] : own.map((row): JoinedRow => [...left, row]),
    );
    joined = outer ? [...pairs, ...alone, ...unmet].slice(0, ROWS_MAX) : pairs;
  });
  return joined;
}
