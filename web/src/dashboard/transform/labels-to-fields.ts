/** Labels of a series become columns, or rows of name and value. */

import { type Frame, field, frame } from '../../frame/frame';
import { type Json, text, texts } from '../../lib/json';
import { merge } from './join';

export function labelsToFields(frames: readonly Frame[], options: Json): readonly Frame[] {
  const keep = texts(options, 'keepLabels');
  const kept = (key: string) => keep.length === 0 || keep.includes(key);
  if (text(options, 'mode') === 'rows') {
    return frames.flatMap((f) =>
      f.fields
        .filter((x) => x.labels !== undefined)
        .map((x) => {
          const labels = Object.entries(x.labels ?? {}).filter(([key]) => kept(key));
          return frame([
            field(
              'label',
              'string',
              labels.map(([key]) => key),
            ),
            field(
              'value',
              'string',
              labels.map(([, value]) => value),
            ),
          ]);
        }),
    );
  }
  const valueLabel = text(options, 'valueLabel');
  const spread = frames.map((f) => {
    const labels = new Map<string, string>();
    const fields = f.fields.map((x) => {
      if (x.labels === undefined) return x;
      let name = x.name;
      for (const [key, value] of Object.entries(x.labels)) {
        if (key === valueLabel) name = value;
        else if (kept(key) && key !== '__name__') labels.set(key, value);
      }
      const { labels: _gone, ...rest } = x;
      return { ...rest, name, config: { ...x.config, displayName: '' } };
    });
    const columns = [...labels].map(([key, value]) =>
      field(
        key,
        'string',
        Array.from({ length: f.length }, () => value),
      ),
    );
    const times = fields.filter((x) => x.type === 'time');
    const others = fields.filter((x) => x.type !== 'time');
    return frame([...times, ...columns, ...others], f);
  });
  return merge(spread);
}
