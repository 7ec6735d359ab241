/** Columns to single values: a row for each series, or one row for each frame. */

import { displayName, type Frame, field, frame } from '../../frame/frame';
import { flag, type Json, text, texts } from '../../lib/json';
import { calculationName, reduceValues } from '../fields/reduce';

export function reduce(frames: readonly Frame[], options: Json): readonly Frame[] {
  const calculations = texts(options, 'reducers').length > 0 ? texts(options, 'reducers') : ['max'];
  if (text(options, 'mode') === 'reduceFields') {
    const [id = 'max'] = calculations;
    return frames.map((f) =>
      frame(
        f.fields
          .filter((x) => x.type !== 'time' || flag(options, 'includeTimeField'))
          .map((x) => ({ ...x, values: [reduceValues(x.values, id)] })),
        f,
      ),
    );
  }
  const of = frames.flatMap((f) =>
    f.fields.filter((x) => x.type === 'number').map((x) => ({ x, name: displayName(x, frames) })),
  );
  const labels = flag(options, 'labelsToFields')
    ? [...new Set(of.flatMap(({ x }) => Object.keys(x.labels ?? {})))]
    : [];
  return [
    frame([
      field(
        'Field',
        'string',
        of.map(({ x, name }) => (labels.length > 0 ? x.name : name)),
      ),
      ...labels.map((label) =>
        field(
          label,
          'string',
          of.map(({ x }) => x.labels?.[label] ?? null),
        ),
      ),
      ...calculations.map((id) => {
        const values = of.map(({ x }) => reduceValues(x.values, id));
        const type = values.every((v) => typeof v === 'number' || v === null) ? 'number' : 'other';
        const unit = of[0]?.x.config.unit;
        return field(
          calculationName(id),
          type,
          values,
          unit === undefined ? {} : { config: { unit } },
        );
      }),
    ]),
  ];
}
