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
