/** Which address shows which view. Views load on demand; the frame around them stays. */

import { Center, Loader } from '@mantine/core';
import { lazy, Suspense } from 'react';
import { Redirect, Route, Switch } from 'wouter';
import { Shell } from './ui/Shell';
import { SessionProvider, useSession } from './ui/session';

/** What brings each view. */
const LOAD = {
  dashboards: () => import('./views/dashboards/Dashboards'),
  d: () => import('./views/dashboard/DashboardPage'),
  explore: () => import('./views/explore/Explore'),
  login: () => import('./views/login/Login'),
  targets: () => import('./views/targets/Targets'),
  alerts: () => import('./views/alerts/Alerts'),
  cardinality: () => import('./views/cardinality/Cardinality'),
  status: () => import('./views/status/Status'),
  discovery: () => import('./views/discovery/Discovery'),
  queries: () => import('./views/queries/Queries'),
} as const;

// The view of the address is on its way while the server still says who is there. A failure is told
// where the view is drawn.
const first = location.pathname.split('/')[1] || 'dashboards';
if (Object.hasOwn(LOAD, first)) LOAD[first as keyof typeof LOAD]().catch(() => {});

const Dashboards = lazy(() => LOAD.dashboards().then((m) => ({ default: m.Dashboards })));
const DashboardPage = lazy(() => LOAD.d().then((m) => ({ default: m.DashboardPage })));
const Explore = lazy(() => LOAD.explore().then((m) => ({ default: m.Explore })));
const Login = lazy(() => LOAD.login().then((m) => ({ default: m.Login })));
const Targets = lazy(() => LOAD.targets().then((m) => ({ default: m.Targets })));
const Alerts = lazy(() => LOAD.alerts().then((m) => ({ default: m.Alerts })));
const Cardinality = lazy(() => LOAD.cardinality().then((m) => ({ default: m.Cardinality })));
const Status = lazy(() => LOAD.status().then((m) => ({ default: m.Status })));
const Discovery = lazy(() => LOAD.discovery().then((m) => ({ default: m.Discovery })));
const Queries = lazy(() => LOAD.queries().then((m) => ({ default: m.Queries })));
const Nowhere = lazy(() => import('./views/Nowhere').then((m) => ({ default: m.Nowhere })));

export function App() {
  return (
    <SessionProvider>
      <Suspense fallback={<Waiting />}>
        <Switch>
          <Route path="/login" component={Login} />
          <Route>
            <Inside />
          </Route>
        </Switch>
      </Suspense>
    </SessionProvider>
  );
}

/** All pages behind the login. */
function Inside() {
  const { known, loginWanted, user } = useSession();
  // Nothing is asked for a stranger: every request would be refused.
  if (!known || (loginWanted && user === undefined)) return <Waiting />;
  return (
    <Shell>
      <Suspense fallback={<Waiting />}>
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
      </Suspense>
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
