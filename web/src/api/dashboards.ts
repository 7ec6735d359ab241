/** The dashboards that the server has, in Grafana's shapes. */

import { type Ask, ask, refused, send } from './http';

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

/** Whether the dashboard comes from a folder of the server, where it cannot be changed from here. */
export function isProvisioned(answer: unknown): boolean {
  const meta = (answer as { meta?: { provisioned?: unknown } } | undefined)?.meta;
  return meta?.provisioned !== false;
}

export type Saved = { readonly uid: string; readonly url: string };

/** Keeps a dashboard on the server; a newer version of it is replaced only with `overwrite`. */
export async function saveDashboard(dashboard: unknown, overwrite: boolean): Promise<Saved> {
  const response = await send('POST', '/api/dashboards/db', { dashboard, overwrite });
  if (!response.ok) throw await refused(response);
  const { uid, url } = (await response.json()) as { uid: string; url?: string };
  return { uid, url: url ?? `/d/${encodeURIComponent(uid)}` };
}

export async function deleteDashboard(uid: string): Promise<void> {
  const response = await send('DELETE', `/api/dashboards/uid/${encodeURIComponent(uid)}`);
  if (!response.ok) throw await refused(response);
}
