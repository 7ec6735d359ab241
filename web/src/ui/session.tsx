/**
 * The session of the page: who is logged in, and the way to the login and back.
 *
 * Any answer of 401 means that the session has ended, wherever it comes from.
 */

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo } from 'react';
import { useLocation } from 'wouter';
import { isKeptOut, logOut, STRANGER, type User, userQuery, whoAmI } from '../api/session';

export type Session = User & {
  readonly known: boolean;
  /** Whether this user may change what the server keeps. */
  readonly mayChange: boolean;
  readonly refresh: () => Promise<void>;
  readonly leave: () => Promise<void>;
};

const Context = createContext<Session | undefined>(undefined);

export function SessionProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const [location, go] = useLocation();
  const { data, isPending } = useQuery(userQuery);
  const away = location === '/login';
  const toLogin = useCallback(() => {
    const here = window.location.pathname + window.location.search;
    go(`/login?next=${encodeURIComponent(here)}`, { replace: true });
  }, [go]);
  const stranger = data !== undefined && isKeptOut(data);

  useEffect(() => {
    if (stranger && !away) toLogin();
  }, [stranger, away, toLogin]);

  useEffect(() => {
    const ended = () => {
      // The login asks by itself, and its own refusals are shown there.
      if (window.location.pathname === '/login') return;
      client.setQueryData<User>(['user'], STRANGER);
    };
    window.addEventListener('masthead:logged-out', ended);
    return () => window.removeEventListener('masthead:logged-out', ended);
  }, [client]);

  const session = useMemo<Session>(() => {
    const user = data ?? { ...STRANGER, loginWanted: false };
    const refresh = async () => {
      client.setQueryData<User>(['user'], await whoAmI());
    };
    return {
      ...user,
      known: !isPending,
      mayChange: user.role === 'admin',
      refresh,
      leave: async () => {
        await logOut();
        // What the last user saw is not for the next one; who that is, is watched by this provider.
        client.removeQueries({ predicate: (query) => query.queryKey[0] !== 'user' });
        await refresh();
      },
    };
  }, [client, data, isPending]);
  return <Context value={session}>{children}</Context>;
}

export function useSession(): Session {
  const session = useContext(Context);
  if (session === undefined) throw new Error('BUG: no SessionProvider above');
  return session;
}
