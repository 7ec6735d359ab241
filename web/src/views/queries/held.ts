/** Rows that stay where they are while somebody is about to press one. Pure. */

type Row = { readonly id: number };

/** Rows of a list that is held; beyond that it is as it is now. */
const MOST = 100;

/**
 * The rows of before with what is known of them now. Nothing moves: a row that is gone stays as it
 * was last, and what is new stands below.
 */
export function held<T extends Row>(before: readonly T[], now: readonly T[]): readonly T[] {
  const left = new Map(now.map((row) => [row.id, row]));
  const rows = before.map((row) => {
    const known = left.get(row.id) ?? row;
    left.delete(row.id);
    return known;
  });
  rows.push(...left.values());
  return rows.length > MOST ? now : rows;
}
