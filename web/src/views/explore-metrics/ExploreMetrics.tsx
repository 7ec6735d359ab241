/** One PromQL expression, over time and now. The address holds it, so that it can be shared. */

import { Alert, Button, Group, SegmentedControl, Stack, Text } from '@mantine/core';
import { useDocumentTitle, useElementSize } from '@mantine/hooks';
import { useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useCallback, useMemo } from 'react';
import { usePanelFrames } from '../../dashboard/usePanelFrames';
import type { RawRange } from '../../lib/time/relative';
import { useUrl } from '../../lib/url-state';
import { panelType } from '../../panels/registry';
import { PageTools } from '../../ui/PageTools';
import { TimePicker } from '../../ui/TimePicker';
import { TimeProvider, usePageTime } from '../../ui/time';
import { panelOf, useEnvironment } from '../../ui/usePanel';

const QueryEditor = lazy(() =>
  import('../../ui/QueryEditor').then((m) => ({ default: m.QueryEditor })),
);

const HOUR: RawRange = { from: 'now-1h', to: 'now' };
const EXAMPLES = ['up', 'rate(process_cpu_seconds_total[5m])', 'topk(5, scrape_duration_seconds)'];

export function ExploreMetrics() {
  useDocumentTitle('Explore metrics - Masthead');
  const client = useQueryClient();
  const busy = useCallback(() => client.isFetching({ queryKey: ['panel'] }) > 0, [client]);
  return (
    <TimeProvider defaultRange={HOUR} defaultRefresh="" defaultZone="browser" busy={busy}>
      <PageTools>
        <TimePicker />
      </PageTools>
      <Explore />
    </TimeProvider>
  );
}

function Explore() {
  const [params, setUrl] = useUrl();
  const expr = params.get('expr') ?? '';
  const { now } = usePageTime();
  const { ref, width } = useElementSize();
  const run = (next: string) => {
    if (next.trim() === expr) now();
    else setUrl({ expr: next.trim() === '' ? undefined : next.trim() });
  };
  return (
    <Stack gap="sm" ref={ref}>
      <Group gap="xs" align="stretch" wrap="nowrap">
        <Suspense fallback={<div className="query-editor" style={{ height: 36 }} />}>
          <QueryEditor
            language="promql"
            label="Expression in PromQL"
            hint="A metric or expression; Enter runs it"
            value={expr}
            onRun={run}
          />
        </Suspense>
        <Button size="sm" h={36} onClick={now} disabled={expr === ''}>
          Refresh
        </Button>
      </Group>
      {expr === '' ? (
        <Group gap="xs">
          <Text size="sm" className="faint">
            For example:
          </Text>
          {EXAMPLES.map((example) => (
            <Button key={example} size="compact-sm" variant="light" onClick={() => run(example)}>
              <span className="mono">{example}</span>
            </Button>
          ))}
        </Group>
      ) : (
        width > 0 && <Answer expr={expr} width={width} />
      )}
    </Stack>
  );
}

function Answer({ expr, width }: { expr: string; width: number }) {
  const { range, zone, setRange } = usePageTime();
  const [params, setUrl] = useUrl();
  const asTable = params.get('show') === 'table';
  const environment = useEnvironment(width);
  const panel = useMemo(
    () =>
      panelOf({
        id: 1,
        type: asTable ? 'table' : 'timeseries',
        title: expr,
        datasource: { type: 'prometheus', uid: 'prometheus' },
        targets: [{ refId: 'A', expr, instant: asTable, range: !asTable }],
        fieldConfig: {
          defaults: {
            color: { mode: 'palette-classic' },
            custom: { showPoints: 'auto', fillOpacity: 6, filterable: asTable },
          },
        },
        options: { legend: { displayMode: 'table', calcs: ['min', 'max', 'lastNotNull'] } },
      }),
    [expr, asTable],
  );
  const data = usePanelFrames(panel, environment, true);
  const { View } = panelType(panel.type);
  const rows = data.frames.reduce((sum, f) => sum + f.length, 0);
  const points = asTable ? rows : data.frames.length;
  return (
    <>
      <Group gap="sm">
        <SegmentedControl
          size="xs"
          aria-label="Shown as"
          data={[
            { value: 'graph', label: 'Graph' },
            { value: 'table', label: 'Table' },
          ]}
          value={asTable ? 'table' : 'graph'}
          onChange={(show) => setUrl({ show: show === 'table' ? 'table' : undefined }, true)}
        />
        <Text size="xs" className="faint" aria-live="polite">
          {data.loading
            ? 'Asking…'
            : `${points} series${data.tookMs === undefined ? '' : `, ${Math.round(data.tookMs)} ms`}`}
        </Text>
      </Group>
      {data.error !== undefined && (
        <Alert color="red" title="The expression was refused">
          <span className="mono">{data.error}</span>
        </Alert>
      )}
      {data.notices.map((notice) => (
        <Alert key={notice} color="yellow" p="xs">
          {notice}
        </Alert>
      ))}
      {rows > 0 && (
        <div className="explore-panel">
          <Suspense fallback={null}>
            <View
              panel={panel}
              frames={data.frames}
              width={width - 22}
              height={asTable ? Math.min(rows * 30 + 70, 640) : 460}
              range={range}
              zone={zone}
              dark={document.documentElement.dataset.mantineColorScheme === 'dark'}
              interpolate={(text) => text}
              onZoom={(to) => setRange({ from: String(to.from), to: String(to.to) })}
            />
          </Suspense>
        </div>
      )}
      {rows === 0 && !data.loading && data.error === undefined && (
        <Text className="faint">No series in this range.</Text>
      )}
    </>
  );
}
