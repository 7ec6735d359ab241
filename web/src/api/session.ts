/** Who is at the keyboard: asking, logging in, logging out. */

import type { Role, WhoAmI } from './generated';
import { ApiError, ask, refused, send } from './http';

export type User = {
  /** Nobody's name while nobody is logged in. */
  readonly user: string | undefined;
  readonly role: Role;
  /** Whether this server keeps strangers out. */
  readonly loginWanted: boolean;
  /** Whether there is a session to leave; a token or a certificate has none. */
  readonly session: boolean;
};

const OPEN: User = { user: undefined, role: 'admin', loginWanted: false, session: false };
/** Nobody, on a server that wants to know who is there. */
export const STRANGER: User = { user: undefined, role: 'view', loginWanted: true, session: false };

/** Who the server takes us for; a server without users takes everybody for its admin. */
export async function whoAmI(signal?: AbortSignal): Promise<User> {
  try {
    return readUser((await (await ask('/api/user', {}, { signal })).json()) as WhoAmI);
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return STRANGER;
    if (error instanceof ApiError && error.status === 404) return OPEN;
    throw error;
  }
}

export const userQuery = {
  queryKey: ['user'],
  queryFn: ({ signal }: { signal: AbortSignal }) => whoAmI(signal),
  staleTime: Number.POSITIVE_INFINITY,
};

/** Whether this is nobody, where only those who have logged in may ask. */
export function isKeptOut({ user, loginWanted }: Pick<User, 'user' | 'loginWanted'>): boolean {
  return loginWanted && user === undefined;
}

export function readUser({ user, role, loginWanted, session }: WhoAmI): User {
  return { user: user ?? undefined, role: role ?? 'view', loginWanted, session };
}

export async function logIn(user: string, password: string): Promise<void> {
  const response = await send('POST', '/api/login', { user, password });
  if (!response.ok) throw await refused(response);
}

export async function logOut(): Promise<void> {
  const response = await send('POST', '/api/logout', {});
  if (!response.ok && response.status !== 401) throw await refused(response);
}

/** Where to go after the login: a place of this application, or its start. */
export function placeAfter(next: string | null): string {
  if (next === null || !/^\/[^/\\]/.test(next) || next.startsWith('/login')) return '/';
  return next;
}
