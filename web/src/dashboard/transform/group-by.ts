/** Rows with equal cells in some columns become one; the other columns are calculated. */

import { displayName, type Field, type Frame, field, frame } from '../../frame/frame';
import { type Json, object, text, texts } from '../../lib/json';
import { calculationName, reduceValues } from '../fields/reduce';
import { take } from './join';

export function groupBy(frames: readonly Frame[], options: Json): readonly Frame[] {
  const rules = object(options, 'fields');
  const rule = (x: Field) => {
    const name = displayName(x, frames);
    return object(rules, name in rules ? name : x.name);
  };
  return frames.flatMap((f) => {
    const keys = f.fields.filter((x) => text(rule(x), 'operation') === 'groupby');
    if (keys.length === 0) return [];
    const groups = new Map<string, number[]>();
    for (let row = 0; row < f.length; row += 1) {
      const key = JSON.stringify(keys.map((x) => x.values[row]));
      const rows = groups.get(key);
      if (rows === undefined) groups.set(key, [row]);
      else rows.push(row);
    }
    const all = [...groups.values()];
    const calculated = f.fields.flatMap((x) => {
      if (text(rule(x), 'operation') !== 'aggregate') return [];
      return texts(rule(x), 'aggregations').map((id) => {
        const values = all.map((rows) =>
          reduceValues(
            rows.map((row) => x.values[row]),
            id,
          ),
        );
        const same = x.type === 'time' || x.type === 'number' ? x.type : 'other';
        const type = id === 'count' || id === 'distinctCount' ? 'number' : same;
        return field(`${displayName(x, frames)} (${shortName(id)})`, type, values, {
          config: { ...x.config, displayName: '' },
        });
      });
    });
    return [
      frame(
        [
          ...keys.map((x) =>
            take(
              x,
              all.map((rows) => rows[0] ?? -1),
            ),
          ),
          ...calculated,
        ],
        f,
      ),
    ];
  });
}

function shortName(id: string): string {
  return id === 'lastNotNull' || id === 'last' || id === 'first' || id === 'firstNotNull'
    ? id
    : calculationName(id).toLowerCase() === 'total'
      ? 'sum'
      : id;
}
