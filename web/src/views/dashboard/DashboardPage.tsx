/** One dashboard: its variables, its rows and panels, one panel alone when the address says so. */

import { Alert, Anchor, Center, Group, Loader, Stack, Text, Title } from '@mantine/core';
import { useDocumentTitle, useHotkeys } from '@mantine/hooks';
import { useIsFetching, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { Link } from 'wouter';
import { dashboardQuery, isProvisioned } from '../../api/dashboards';
import { EventsProvider } from '../../dashboard/annotations/useEvents';
import { layout } from '../../dashboard/layout/repeat';
import { fileOf } from '../../dashboard/schema/edit';
import type { Dashboard, Panel, Unsupported } from '../../dashboard/schema/model';
import { readDashboard } from '../../dashboard/schema/read';
import { FiltersProvider } from '../../dashboard/variables/useFilters';
import { useVariables } from '../../dashboard/variables/useVariables';
import type { Json } from '../../lib/json';
import { useUrl } from '../../lib/url-state';
import { loadViews } from '../../panels/registry';
import { PageTools } from '../../ui/PageTools';
import { TimePicker } from '../../ui/TimePicker';
import { TimeProvider } from '../../ui/time';
import { Board } from './Board';
import { type DashboardFile, FileMenu, Unsaved } from './FileMenu';
import { Links } from './Links';
import { Share } from './Share';
import { Unfilled, VariableBar } from './VariableBar';

export function DashboardPage({ uid }: { uid: string }) {
  const file = useQuery(dashboardQuery(uid));
  // What was changed on this page and not saved.
  const [draft, setDraft] = useState<Json | undefined>();
  const shown = draft ?? file.data;
  const read = useMemo(() => (shown === undefined ? undefined : readDashboard(shown)), [shown]);
  useEffect(() => {
    if (read?.ok) loadViews(read.dashboard.panels.map(({ type }) => type));
  }, [read]);
  const client = useQueryClient();
  const busy = useCallback(() => client.isFetching({ queryKey: ['panel'] }) > 0, [client]);
  const kept = useMemo<DashboardFile>(
    () => ({
      json: fileOf(shown) ?? {},
      provisioned: isProvisioned(file.data),
      changed: draft !== undefined,
      change: setDraft,
    }),
    [shown, file.data, draft],
  );
  if (file.error !== null)
    return <Problem title="The dashboard could not be opened" text={file.error.message} />;
  if (read === undefined) {
    return (
      <Center h="60vh">
        <Loader size="sm" aria-label="Loading" />
      </Center>
    );
  }
  if (!read.ok) return <Problem title="This dashboard cannot be shown" text={read.error} />;
  const { dashboard } = read;
  return (
    <TimeProvider
      defaultRange={dashboard.time}
      defaultRefresh={dashboard.refresh}
      defaultZone={dashboard.timezone}
      busy={busy}
    >
      <Loaded dashboard={dashboard} unsupported={read.unsupported} file={kept} />
    </TimeProvider>
  );
}

function Problem({ title, text }: { title: string; text: string }) {
  return (
    <Center h="60vh">
      <Stack align="center" gap="xs">
        <Alert color="red" title={title} maw={640}>
          {text}
        </Alert>
        <Anchor component={Link} href="/dashboards" size="sm">
          All dashboards
        </Anchor>
      </Stack>
    </Center>
  );
}

type LoadedProps = {
  readonly dashboard: Dashboard;
  readonly unsupported: readonly Unsupported[];
  readonly file: DashboardFile;
};

function Loaded({ dashboard, unsupported, file }: LoadedProps) {
  useDocumentTitle(`${dashboard.title} - Masthead`);
  const [params, setUrl] = useUrl();
  const variables = useVariables(dashboard.variables);
  const viewed = params.get('viewPanel');
  useHotkeys([
    [
      'Escape',
      // What lies over the page is closed by this key, and the panel stays.
      (event) => viewed !== null && !isOver(event.target) && setUrl({ viewPanel: undefined }),
    ],
  ]);
  const rows = useMemo(() => {
    const valuesOf = (name: string): readonly string[] => {
      const value = variables.values(name)?.value;
      return value === undefined ? [] : typeof value === 'string' ? [value] : value;
    };
    return layout(dashboard.panels, valuesOf);
  }, [dashboard, variables.values]);
  const alone = viewed === null ? undefined : onlyPanel(rows, viewed);
  return (
    <FiltersProvider variables={dashboard.variables}>
      <EventsProvider
        annotations={dashboard.annotations}
        values={variables.values}
        ready={variables.ready}
      >
        <Stack gap={8}>
          <PageTools>
            <Share />
            <FileMenu uid={dashboard.uid} file={file} />
            <TimePicker />
          </PageTools>
          <Group gap="md" align="center">
            <Title order={1} size="h4">
              {dashboard.title}
            </Title>
            {viewed !== null && (
              <Anchor component="button" size="sm" onClick={() => setUrl({ viewPanel: undefined })}>
                Back to the dashboard
              </Anchor>
            )}
            <Asking />
            <Links links={dashboard.links} variables={variables} />
          </Group>
          {file.changed && <Unsaved file={file} />}
          <VariableBar variables={variables} />
          <Unfilled variables={variables} />
          {unsupported.length > 0 && (
            <Alert color="yellow" p="xs" title="Parts of this dashboard are not supported">
              {unsupported.slice(0, 8).map((u) => (
                <Text size="xs" key={`${u.where}${u.what}`}>
                  {u.where}: {u.what}
                </Text>
              ))}
              {unsupported.length > 8 && <Text size="xs">and {unsupported.length - 8} more</Text>}
            </Alert>
          )}
          {variables.ready && (
            <Board
              dashboard={dashboard}
              rows={rows}
              alone={alone}
              variables={variables}
              file={file}
            />
          )}
        </Stack>
      </EventsProvider>
    </FiltersProvider>
  );
}

/** On its own, so that the board is not drawn anew with every request. */
function Asking() {
  const fetching = useIsFetching({ queryKey: ['panel'] });
  return fetching > 0 ? <Loader size={13} aria-label="Loading data" /> : null;
}

/** Whether this is in a dialog or a menu; it may be gone from the page by now. */
function isOver(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('[role="dialog"], [role="menu"]') !== null;
}

function onlyPanel(rows: ReturnType<typeof layout>, key: string) {
  const placed = rows.flatMap((row) => row.panels);
  return (
    placed.find((p) => p.key === key) ??
    placed.find((p) => p.key.endsWith(`/${key}`) || String((p.panel as Panel).id) === key)
  );
}
