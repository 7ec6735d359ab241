/** Which address shows which view. Views load on demand; the frame around them stays. */

import { Center, Loader } from '@mantine/core';
import type { QueryClient } from '@tanstack/react-query';
import type { ComponentType } from 'react';
import { Redirect, Route, Switch } from 'wouter';
import { dashboardQuery, dashboardsQuery } from './api/dashboards';
import { isKeptOut, userQuery } from './api/session';
import { onDemand } from './ui/onDemand';
import { Shell } from './ui/Shell';
import { SessionProvider, useSession } from './ui/session';

const Dashboards = view(() => import('./views/dashboards/Dashboards').then((m) => m.Dashboards));
const DashboardPage = view(() =>
  import('./views/dashboard/DashboardPage').then((m) => m.DashboardPage),
);
const Explore = view(() => import('./views/explore/Explore').then((m) => m.Explore));
const Login = view(() => import('./views/login/Login').then((m) => m.Login));
const Targets = view(() => import('./views/targets/Targets').then((m) => m.Targets));
const Alerts = view(() => import('./views/alerts/Alerts').then((m) => m.Alerts));
const Cardinality = view(() =>
  import('./views/cardinality/Cardinality').then((m) => m.Cardinality),
);
const Status = view(() => import('./views/status/Status').then((m) => m.Status));
const Discovery = view(() => import('./views/discovery/Discovery').then((m) => m.Discovery));
const Queries = view(() => import('./views/queries/Queries').then((m) => m.Queries));
const Nowhere = view(() => import('./views/Nowhere').then((m) => m.Nowhere));

/** By the first word of the address; `vite.config.ts` names their files to the first page. */
const VIEWS = {
  dashboards: Dashboards,
  d: DashboardPage,
  explore: Explore,
  login: Login,
  targets: Targets,
  alerts: Alerts,
  cardinality: Cardinality,
  status: Status,
  discovery: Discovery,
  queries: Queries,
} as const;

function view<P extends object>(bring: () => Promise<ComponentType<P>>) {
  return onDemand(bring, <Waiting />);
}

/**
 * Begins with what the address needs, before anything is drawn: its view, who is there, and what
 * the view asks first. Nothing is asked for a stranger: every request would be refused.
 */
export function begin(queries: QueryClient) {
  const [, first = '', second] = location.pathname.split('/');
  const name = first === '' ? 'dashboards' : first;
  if (Object.hasOwn(VIEWS, name)) VIEWS[name as keyof typeof VIEWS].load();
  void queries.fetchQuery(userQuery).then(
    (user) => {
      if (isKeptOut(user)) return;
      if (name === 'dashboards') void queries.prefetchQuery(dashboardsQuery);
      if (name === 'd' && second) void queries.prefetchQuery(dashboardQuery(decoded(second)));
    },
    // The page says so itself.
    () => {},
  );
}

/** As the router reads a part of an address. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function App() {
  return (
    <SessionProvider>
      <Switch>
        <Route path="/login" component={Login} />
        <Route>
          <Inside />
        </Route>
      </Switch>
    </SessionProvider>
  );
}

/** All pages behind the login. */
function Inside() {
  const session = useSession();
  if (!session.known || isKeptOut(session)) return <Waiting />;
  return (
    <Shell>
      <Switch>
        <Route path="/">
          <Redirect to="/dashboards" replace />
        </Route>
        <Route path="/dashboards" component={Dashboards} />
        <Route path="/d/:uid/:slug?">{({ uid }) => <DashboardPage key={uid} uid={uid} />}</Route>
        <Route path="/explore/:kind?">{({ kind }) => <Explore kind={kind} />}</Route>
        <Route path="/targets" component={Targets} />
        <Route path="/discovery" component={Discovery} />
        <Route path="/alerts" component={Alerts} />
        <Route path="/cardinality" component={Cardinality} />
        <Route path="/queries" component={Queries} />
        <Route path="/status" component={Status} />
        <Route component={Nowhere} />
      </Switch>
    </Shell>
  );
}

function Waiting() {
  return (
    <Center h="60vh">
      <Loader size="sm" aria-label="Loading" />
    </Center>
  );
}
