/** Expressions in PromQL, drawn over time or as a table of now. */

import {
  Alert,
  Button,
  Group,
  SegmentedControl,
  Text,
  useComputedColorScheme,
} from '@mantine/core';
import { useDisclosure, useElementSize } from '@mantine/hooks';
import { IconListSearch, IconPlus, IconZoomQuestion } from '@tabler/icons-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { UNREACHABLE } from '../../api/http';
import { findLogs } from '../../dashboard/findRelated';
import { useExemplars } from '../../dashboard/useExemplars';
import { usePanelFrames } from '../../dashboard/usePanelFrames';
import { readHistory, remembered, writeHistory } from '../../lib/history';
import { panelType } from '../../panels/registry';
import { onDemand } from '../../ui/onDemand';
import { usePageTime } from '../../ui/time';
import { panelOf, useEnvironment } from '../../ui/usePanel';
import { Examples } from './Examples';
import type { PaneControl } from './Explore';
import { QUERIES_MAX } from './panes';
import { QueryRow } from './QueryRow';

const MetricBrowser = onDemand(() => import('./MetricBrowser').then((m) => m.MetricBrowser));

const EXAMPLES = ['up', 'rate(process_cpu_seconds_total[5m])', 'topk(5, scrape_duration_seconds)'];
const letterOf = (at: number) => String.fromCharCode(65 + at);

export function MetricsPane({ control }: { control: PaneControl }) {
  const { exprs } = control.pane;
  const { now } = usePageTime();
  const { ref, width } = useElementSize();
  const [browsing, browser] = useDisclosure(false);
  const drafts = useRef<readonly string[]>(exprs);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what the address says replaces what was written.
  useEffect(() => {
    drafts.current = exprs;
  }, [exprs.join('\n')]);

  const run = (at: number, expr: string) => {
    const next = exprs.map((old, i) => (i === at ? expr : (drafts.current[i] ?? old)).trim());
    let past = readHistory('metrics', localStorage);
    for (const one of next) past = remembered(past, one, Date.now());
    writeHistory('metrics', past, localStorage);
    if (next.every((one, i) => one === exprs[i])) now();
    else control.change({ exprs: next });
  };
  const asked = exprs.some((expr) => expr !== '');
  return (
    <div ref={ref} className="explore-pane">
      {exprs.map((expr, at) => (
        <QueryRow
          key={at}
          language="promql"
          value={expr}
          hint="A metric or expression; Enter runs it"
          letter={exprs.length > 1 ? letterOf(at) : undefined}
          onRun={(text) => run(at, text)}
          onChange={(text) => {
            drafts.current = exprs.map((old, i) => (i === at ? text : (drafts.current[i] ?? old)));
          }}
          onRemove={
            exprs.length > 1
              ? () => control.change({ exprs: drafts.current.filter((_, i) => i !== at) })
              : undefined
          }
        />
      ))}
      <Group gap="xs">
        <Button size="compact-sm" onClick={() => run(0, drafts.current[0] ?? '')}>
          Run
        </Button>
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<IconPlus size={14} />}
          disabled={exprs.length >= QUERIES_MAX}
          onClick={() => control.change({ exprs: [...drafts.current, ''] })}
        >
          Expression
        </Button>
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<IconZoomQuestion size={14} />}
          onClick={browser.open}
        >
          Browse metrics
        </Button>
      </Group>
      {!asked && <Examples of={EXAMPLES} onRun={(example) => run(0, example)} />}
      {asked && width > 0 && <Answer control={control} width={width} />}
      {browsing && (
        <MetricBrowser
          onClose={browser.close}
          onPick={(expr) => {
            browser.close();
            const free = exprs.indexOf('');
            run(free < 0 ? exprs.length - 1 : free, expr);
          }}
        />
      )}
    </div>
  );
}

function Answer({ control, width }: { control: PaneControl; width: number }) {
  const { exprs, show } = control.pane;
  const { range, zone, setRange } = usePageTime();
  const dark = useComputedColorScheme('light') === 'dark';
  const asTable = show === 'table';
  const environment = useEnvironment(width);
  const key = JSON.stringify(exprs);
  const panel = useMemo(
    () =>
      panelOf({
        id: 1,
        type: asTable ? 'table' : 'timeseries',
        title: 'Answer',
        datasource: { type: 'prometheus', uid: 'prometheus' },
        targets: (JSON.parse(key) as string[]).map((expr, at) => ({
          refId: letterOf(at),
          expr,
          instant: asTable,
          range: !asTable,
          exemplar: !asTable,
        })),
        fieldConfig: {
          defaults: {
            color: { mode: 'palette-classic' },
            custom: { showPoints: 'auto', fillOpacity: 6, filterable: asTable },
          },
        },
        options: { legend: { displayMode: 'table', calcs: ['min', 'max', 'lastNotNull'] } },
      }),
    [key, asTable],
  );
  const data = usePanelFrames(panel, environment, true);
  const letters = useMemo(
    () => new Set(asTable ? [] : (JSON.parse(key) as string[]).map((_, at) => letterOf(at))),
    [key, asTable],
  );
  const exemplars = useExemplars(data.requests, letters);
  const [searching, setSearching] = useState(false);
  const { View } = panelType(panel.type);
  const rows = data.frames.reduce((sum, f) => sum + f.length, 0);
  const points = asTable ? rows : data.frames.length;

  const openLogs = async () => {
    setSearching(true);
    try {
      const series = data.frames.flatMap((f) =>
        f.fields.flatMap((x) => (x.labels === undefined ? [] : [x.labels])),
      );
      const asked = data.requests.map((r) => r.expr);
      control.beside('logs', await findLogs(asked, series, range));
    } catch {
      control.beside('logs', '');
    } finally {
      setSearching(false);
    }
  };
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
          onChange={(next) => control.change({ show: next === 'table' ? 'table' : '' }, true)}
        />
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<IconListSearch size={14} />}
          loading={searching}
          onClick={openLogs}
        >
          Logs of these
        </Button>
        <Text size="xs" className="faint" aria-live="polite">
          {data.loading
            ? 'Asking…'
            : `${points} series${data.tookMs === undefined ? '' : `, ${Math.round(data.tookMs)} ms`}`}
        </Text>
      </Group>
      {data.errors.size > 0
        ? [...data.errors].map(([letter, said]) => (
            <Refused key={letter} letter={exprs.length > 1 ? letter : undefined} said={said} />
          ))
        : data.error !== undefined && <Refused letter={undefined} said={data.error} />}
      {[...new Set(data.notices)].map((notice) => (
        <Alert key={notice} color="yellow" p="xs">
          {notice}
        </Alert>
      ))}
      {rows > 0 && (
        <div className="explore-panel">
          <View
            panel={panel}
            frames={data.frames}
            width={width - 22}
            height={asTable ? Math.min(rows * 30 + 70, 640) : 460}
            range={range}
            zone={zone}
            dark={dark}
            interpolate={(text) => text}
            onZoom={(to) => setRange({ from: String(to.from), to: String(to.to) })}
            exemplars={exemplars}
          />
        </div>
      )}
      {rows === 0 && !data.loading && data.error === undefined && (
        <Text className="faint">No series in this range.</Text>
      )}
    </>
  );
}

export function Refused({ letter, said }: { letter: string | undefined; said: string }) {
  // A server that is away has nothing against the expression.
  const title =
    said === UNREACHABLE
      ? 'There is no answer'
      : `The expression${letter === undefined ? '' : ` ${letter}`} was refused`;
  return (
    <Alert color="red" p="xs" title={title}>
      <span className="mono" style={{ overflowWrap: 'anywhere' }}>
        {said}
      </span>
    </Alert>
  );
}
