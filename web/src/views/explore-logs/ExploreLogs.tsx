/** One LogQL expression: how many lines by level, and the lines. */

import { Alert, Button, Checkbox, Group, Stack, Text } from '@mantine/core';
import { useDocumentTitle, useElementSize } from '@mantine/hooks';
import { useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useCallback, useMemo, useState } from 'react';
import { usePanelFrames } from '../../dashboard/usePanelFrames';
import type { RawRange } from '../../lib/time/relative';
import { useUrl } from '../../lib/url-state';
import { LogList } from '../../panels/logs/LogList';
import { prepareRows } from '../../panels/logs/prepare';
import { panelType } from '../../panels/registry';
import { PageTools } from '../../ui/PageTools';
import { TimePicker } from '../../ui/TimePicker';
import { TimeProvider, usePageTime } from '../../ui/time';
import { panelOf, useEnvironment } from '../../ui/usePanel';
import { findsLines, narrowed, volumeOf } from './narrow';

const QueryEditor = lazy(() =>
  import('../../ui/QueryEditor').then((m) => ({ default: m.QueryEditor })),
);

const HOUR: RawRange = { from: 'now-1h', to: 'now' };
const EXAMPLE = '{job=~".+"}';
const LIMIT = 2_000;

export function ExploreLogs() {
  useDocumentTitle('Explore logs - Masthead');
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
            language="logql"
            label="Expression in LogQL"
            hint={`${EXAMPLE} |= "text"; Enter runs it`}
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
          <Button size="compact-sm" variant="light" onClick={() => run(EXAMPLE)}>
            <span className="mono">{EXAMPLE}</span>
          </Button>
        </Group>
      ) : (
        width > 0 && <Answer expr={expr} width={width} onRun={run} />
      )}
    </Stack>
  );
}

/** A panel whose colours follow levels, as bars or as lines. */
function panelFor(expr: string, id: number, bars: boolean) {
  const level = (pattern: string, color: string) => ({
    matcher: { id: 'byRegexp', options: pattern },
    properties: [{ id: 'color', value: { mode: 'fixed', fixedColor: color } }],
  });
  return panelOf({
    id,
    type: 'timeseries',
    title: bars ? 'Lines by level' : expr,
    datasource: { type: 'loki', uid: 'loki' },
    maxDataPoints: bars ? 100 : undefined,
    targets: [
      {
        refId: 'A',
        expr,
        queryType: 'range',
        maxLines: LIMIT,
        ...(bars ? { legendFormat: '{{detected_level}}' } : {}),
      },
    ],
    fieldConfig: {
      defaults: {
        color: { mode: 'palette-classic' },
        custom: bars
          ? { drawStyle: 'bars', fillOpacity: 80, stacking: { mode: 'normal' } }
          : { showPoints: 'auto' },
      },
      overrides: bars
        ? [
            level('/^(error|critical|fatal)$/', 'red'),
            level('/^warn/', 'orange'),
            level('/^info$/', 'green'),
            level('/^debug$/', 'blue'),
            level('/^trace$/', 'purple'),
            level('/^unknown$/', 'gray'),
          ]
        : [],
    },
    options: { legend: { displayMode: 'list', calcs: bars ? ['sum'] : [] } },
  });
}

type AnswerProps = { expr: string; width: number; onRun: (expr: string) => void };

function Answer({ expr, width, onRun }: AnswerProps) {
  const { range, zone, setRange } = usePageTime();
  const [wrap, setWrap] = useState(true);
  const [oldest, setOldest] = useState(false);
  const environment = useEnvironment(width);
  const volume = volumeOf(expr);
  const lines = findsLines(expr);
  const panel = useMemo(() => panelFor(expr, 1, false), [expr]);
  const counts = useMemo(() => panelFor(volume ?? '', 2, true), [volume]);
  const data = usePanelFrames(panel, environment, true);
  const counted = usePanelFrames(counts, environment, volume !== undefined);
  const rows = useMemo(
    () => (lines ? prepareRows(data.frames, !oldest) : []),
    [data.frames, lines, oldest],
  );
  const { View } = panelType('timeseries');
  const chart = lines ? { panel: counts, data: counted } : { panel, data };
  const drawn = chart.data.frames.some((f) => f.length > 0);
  return (
    <>
      {data.error !== undefined && (
        <Alert color="red" title="The expression was refused">
          <span className="mono">{data.error}</span>
        </Alert>
      )}
      {drawn && (
        <div className="explore-panel">
          <View
            panel={chart.panel}
            frames={chart.data.frames}
            width={width - 22}
            height={lines ? 170 : 440}
            range={range}
            zone={zone}
            dark={document.documentElement.dataset.mantineColorScheme === 'dark'}
            interpolate={(text) => text}
            onZoom={(to) => setRange({ from: String(to.from), to: String(to.to) })}
          />
        </div>
      )}
      {lines && (
        <>
          <Group gap="md">
            <Text size="xs" className="faint" aria-live="polite">
              {data.loading
                ? 'Asking…'
                : `${rows.length}${rows.length >= LIMIT ? ' (the most that is shown)' : ''} lines`}
            </Text>
            <Checkbox
              size="xs"
              label="Wrap lines"
              checked={wrap}
              onChange={(e) => setWrap(e.currentTarget.checked)}
            />
            <Checkbox
              size="xs"
              label="Oldest first"
              checked={oldest}
              onChange={(e) => setOldest(e.currentTarget.checked)}
            />
          </Group>
          {rows.length > 0 && (
            <div className="explore-panel">
              <LogList
                rows={rows}
                zone={zone}
                height={Math.max(window.innerHeight - 400, 320)}
                wrap={wrap}
                showTime
                details
                onFilter={(detail, keep) => onRun(narrowed(expr, detail, keep))}
              />
            </div>
          )}
        </>
      )}
    </>
  );
}
