/** The dashboards that the server has, in Grafana's shapes. */

import { type Ask, ask } from './http';

export type Hit = {
  readonly uid: string;
  readonly title: string;
  readonly url: string;
  readonly tags: readonly string[];
  readonly folderTitle?: string;
};

export async function searchDashboards(query: string, how: Ask = {}): Promise<readonly Hit[]> {
  const response = await ask(
    '/api/search',
    { type: 'dash-db', query: query === '' ? undefined : query, limit: 5_000 },
    how,
  );
  return (await response.json()) as readonly Hit[];
}

/** The file as it is, beside what the server knows of it. */
export async function getDashboard(uid: string, how: Ask = {}): Promise<unknown> {
  return (await ask(`/api/dashboards/uid/${encodeURIComponent(uid)}`, {}, how)).json();
}
