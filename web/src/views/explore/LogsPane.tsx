/** One expression in LogQL: lines with their volume by level, lines as they come, or a metric. */

import { Button, Group, Text, useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { IconPlayerPlay, IconPlayerStop } from '@tabler/icons-react';
import { useMemo, useRef } from 'react';
import type { Panel } from '../../dashboard/schema/model';
import { usePanelFrames } from '../../dashboard/usePanelFrames';
import { readHistory, remembered, writeHistory } from '../../lib/history';
import { panelType } from '../../panels/registry';
import { usePageTime } from '../../ui/time';
import { useEnvironment } from '../../ui/usePanel';
import { Examples } from './Examples';
import type { PaneControl } from './Explore';
import { LineList } from './LineList';
import { LiveLines } from './LiveLines';
import { Refused } from './MetricsPane';
import { findsLines, volumeOf } from './narrow';
import { QueryRow } from './QueryRow';
import { metricPanel, volumePanel } from './volume';

const EXAMPLES = ['{service_name=~".+"}', '{service_name=~".+"} |= "error"'];

export function LogsPane({ control }: { control: PaneControl }) {
  const expr = control.pane.exprs[0] ?? '';
  const live = control.pane.show === 'live';
  const { now } = usePageTime();
  const { ref, width } = useElementSize();
  const draft = useRef(expr);

  const run = (text: string) => {
    const next = text.trim();
    draft.current = next;
    writeHistory(
      'logs',
      remembered(readHistory('logs', localStorage), next, Date.now()),
      localStorage,
    );
    if (next === expr) now();
    else control.change({ exprs: [next] });
  };
  return (
    <div ref={ref} className="explore-pane">
      <QueryRow
        language="logql"
        value={expr}
        hint={'{job="api"} |= "text"; Enter runs it'}
        letter={undefined}
        onRun={run}
        onChange={(text) => {
          draft.current = text;
        }}
        onRemove={undefined}
      />
      <Group gap="xs">
        <Button size="compact-sm" onClick={() => run(draft.current)}>
          Run
        </Button>
        <Button
          size="compact-sm"
          variant={live ? 'filled' : 'default'}
          color={live ? 'red' : 'gray'}
          disabled={!findsLines(expr)}
          leftSection={live ? <IconPlayerStop size={14} /> : <IconPlayerPlay size={14} />}
          onClick={() => control.change({ show: live ? '' : 'live' }, true)}
        >
          {live ? 'Stop' : 'Live'}
        </Button>
      </Group>
      {expr === '' && <Examples of={EXAMPLES} onRun={run} />}
      {expr === '' || width === 0 ? null : !findsLines(expr) ? (
        <Metric expr={expr} width={width} />
      ) : live ? (
        <LiveLines expr={expr} onRun={run} />
      ) : (
        <>
          <Volume expr={expr} width={width} />
          <LineList control={control} expr={expr} onRun={run} />
        </>
      )}
    </div>
  );
}

function Metric({ expr, width }: { expr: string; width: number }) {
  const panel = useMemo(() => metricPanel(expr), [expr]);
  return <Chart panel={panel} width={width} height={440} alone />;
}

function Volume({ expr, width }: { expr: string; width: number }) {
  const panel = useMemo(() => volumePanel(volumeOf(expr) ?? ''), [expr]);
  return <Chart panel={panel} width={width} height={160} alone={false} />;
}

type ChartProps = {
  readonly panel: Panel;
  readonly width: number;
  readonly height: number;
  /** Whether the pane has nothing else, so that errors are told here. */
  readonly alone: boolean;
};

function Chart({ panel, width, height, alone }: ChartProps) {
  const { range, zone, setRange } = usePageTime();
  const dark = useComputedColorScheme('light') === 'dark';
  const data = usePanelFrames(panel, useEnvironment(width), true);
  const { View } = panelType('timeseries');
  const drawn = data.frames.some((f) => f.length > 0);
  return (
    <>
      {alone && data.error !== undefined && <Refused letter={undefined} said={data.error} />}
      {alone && !drawn && !data.loading && data.error === undefined && (
        <Text className="faint">No series in this range.</Text>
      )}
      {(drawn || (!alone && data.loading)) && (
        <div className="explore-panel" style={{ minHeight: height + 22 }}>
          {drawn && (
            <View
              panel={panel}
              frames={data.frames}
              width={width - 22}
              height={height}
              range={range}
              zone={zone}
              dark={dark}
              interpolate={(text) => text}
              onZoom={(to) => setRange({ from: String(to.from), to: String(to.to) })}
            />
          )}
        </div>
      )}
    </>
  );
}
