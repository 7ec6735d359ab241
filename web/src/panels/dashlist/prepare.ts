/** Which dashboards a list of dashboards shows. Pure. */

import type { Hit } from '../../api/generated';
import { type Json, numeric, text, texts } from '../../lib/json';

export function prepareHits(hits: readonly Hit[], options: Json): readonly Hit[] {
  const query = (text(options, 'query') ?? '').toLowerCase();
  const tags = texts(options, 'tags');
  // Nobody stars or visits anything here: a list that asks for these alone shows all that fit.
  return hits
    .filter((hit) => hit.title.toLowerCase().includes(query))
    .filter((hit) => tags.every((tag) => hit.tags.includes(tag)))
    .slice(0, numeric(options, 'maxItems') ?? 30);
}
