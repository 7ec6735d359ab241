/** Which address shows which view. Views load on demand; the frame around them stays. */

import { Center, Loader } from '@mantine/core';
import { lazy, Suspense } from 'react';
import { Redirect, Route, Switch } from 'wouter';
import { Shell } from './ui/Shell';

const Dashboards = lazy(() =>
  import('./views/dashboards/Dashboards').then((m) => ({ default: m.Dashboards })),
);
const DashboardPage = lazy(() =>
  import('./views/dashboard/DashboardPage').then((m) => ({ default: m.DashboardPage })),
);
const ExploreMetrics = lazy(() =>
  import('./views/explore-metrics/ExploreMetrics').then((m) => ({ default: m.ExploreMetrics })),
);
const ExploreLogs = lazy(() =>
  import('./views/explore-logs/ExploreLogs').then((m) => ({ default: m.ExploreLogs })),
);
const Targets = lazy(() => import('./views/targets/Targets').then((m) => ({ default: m.Targets })));
const Alerts = lazy(() => import('./views/alerts/Alerts').then((m) => ({ default: m.Alerts })));
const Cardinality = lazy(() =>
  import('./views/cardinality/Cardinality').then((m) => ({ default: m.Cardinality })),
);
const Status = lazy(() => import('./views/status/Status').then((m) => ({ default: m.Status })));
const Nowhere = lazy(() => import('./views/Nowhere').then((m) => ({ default: m.Nowhere })));

export function App() {
  return (
    <Shell>
      <Suspense fallback={<Waiting />}>
        <Switch>
          <Route path="/">
            <Redirect to="/dashboards" replace />
          </Route>
          <Route path="/dashboards" component={Dashboards} />
          <Route path="/d/:uid/:slug?">{({ uid }) => <DashboardPage key={uid} uid={uid} />}</Route>
          <Route path="/explore/metrics" component={ExploreMetrics} />
          <Route path="/explore/logs" component={ExploreLogs} />
          <Route path="/targets" component={Targets} />
          <Route path="/alerts" component={Alerts} />
          <Route path="/cardinality" component={Cardinality} />
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
