/** Which address shows which view. Views load on demand; the frame around them stays. */

import { Center, Loader } from '@mantine/core';
import { lazy, Suspense } from 'react';
import { Redirect, Route, Switch } from 'wouter';
import { Shell } from './ui/Shell';
import { SessionProvider, useSession } from './ui/session';

const Dashboards = lazy(() =>
  import('./views/dashboards/Dashboards').then((m) => ({ default: m.Dashboards })),
);
const DashboardPage = lazy(() =>
  import('./views/dashboard/DashboardPage').then((m) => ({ default: m.DashboardPage })),
);
const Explore = lazy(() => import('./views/explore/Explore').then((m) => ({ default: m.Explore })));
const Login = lazy(() => import('./views/login/Login').then((m) => ({ default: m.Login })));
const Targets = lazy(() => import('./views/targets/Targets').then((m) => ({ default: m.Targets })));
const Alerts = lazy(() => import('./views/alerts/Alerts').then((m) => ({ default: m.Alerts })));
const Cardinality = lazy(() =>
  import('./views/cardinality/Cardinality').then((m) => ({ default: m.Cardinality })),
);
const Status = lazy(() => import('./views/status/Status').then((m) => ({ default: m.Status })));
const Discovery = lazy(() =>
  import('./views/discovery/Discovery').then((m) => ({ default: m.Discovery })),
);
const Queries = lazy(() => import('./views/queries/Queries').then((m) => ({ default: m.Queries })));
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
