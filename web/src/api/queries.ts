/** The queries that run now, and those that were slow. */

import type { Queries } from './generated';
import { ApiError, type Ask, ask, refused, send } from './http';

export async function queries(how: Ask): Promise<Queries> {
  try {
    return (await (await ask('/api/queries', {}, how)).json()) as Queries;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404)
      throw new Error('this server does not note its queries');
    throw error;
  }
}

export async function endQuery(id: number): Promise<void> {
  const response = await send('DELETE', `/api/queries/${id}`);
  // One that has ended meanwhile needs no ending.
  if (!response.ok && response.status !== 404) throw await refused(response);
}
