import { expect, it } from 'vitest';
import { prepareHits } from './prepare';

const hit = (title: string, ...tags: string[]) => ({
  uid: title,
  title,
  uri: `db/${title}`,
  url: `/d/${title}`,
  type: 'dash-db',
  isStarred: false,
  tags,
});
const hits = [hit('API', 'api'), hit('API logs', 'api', 'logs'), hit('Host')];

it('filters by title and by all tags, and stops at the limit', () => {
  const titles = (options: object) => prepareHits(hits, { ...options }).map((h) => h.title);
  expect(titles({})).toEqual(['API', 'API logs', 'Host']);
  expect(titles({ query: 'api' })).toEqual(['API', 'API logs']);
  expect(titles({ tags: ['api', 'logs'] })).toEqual(['API logs']);
  expect(titles({ maxItems: 1 })).toEqual(['API']);
});
