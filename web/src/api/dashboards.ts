/** The dashboards that the server has, in Grafana's shapes. */

import type { Hit, Meta, Saved } from './generated';
import { type Ask, ask, refused, send } from './http';

export async function searchDashboards(query: string, how: Ask = {}): Promise<readonly Hit[]> {
  const response = await ask(
    '/api/search',
    { type: 'dash-db', query: query === '' ? undefined : query, limit: 5_000 },
    how,
  );
  return (await response.json()) as readonly Hit[];
}

/** All of them. */
export const dashboardsQuery = {
  queryKey: ['dashboards'],
  queryFn: ({ signal }: { signal: AbortSignal }) => searchDashboards('', { signal }),
};

export function dashboardQuery(uid: string) {
  return {
    queryKey: ['dashboard', uid],
    queryFn: ({ signal }: { signal: AbortSignal }) => getDashboard(uid, { signal }),
    staleTime: 60_000,
  };
}

/** The file as it is, beside what the server knows of it. */
export async function getDashboard(uid: string, how: Ask = {}): Promise<unknown> {
  return (await ask(`/api/dashboards/uid/${encodeURIComponent(uid)}`, {}, how)).json();
}

/** Whether the dashboard comes from a folder of the server, where it cannot be changed from here. */
export function isProvisioned(answer: unknown): boolean {
  const meta = (answer as { meta?: Partial<Meta> } | undefined)?.meta;
  return meta?.provisioned !== false;
}

/** Keeps a dashboard on the server; a newer version of it is replaced only with `overwrite`. */
export async function saveDashboard(dashboard: unknown, overwrite: boolean): Promise<Saved> {
  const response = await send('POST', '/api/dashboards/db', { dashboard, overwrite });
  if (!response.ok) throw await refused(response);
  return (await response.json()) as Saved;
}

export async function deleteDashboard(uid: string): Promise<void> {
  const response = await send('DELETE', `/api/dashboards/uid/${encodeURIComponent(uid)}`);
  if (!response.ok) throw await refused(response);
}
