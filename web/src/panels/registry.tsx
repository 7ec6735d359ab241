/** Every panel type, in one table; the next one is one folder and one line. */

import { Center, Text } from '@mantine/core';
import { type ComponentType, lazy } from 'react';
import { AnnoList } from './annolist/View';
import type { PanelProps, PanelType } from './panel';
import { Stat } from './stat/View';
import { TextPanel } from './text/View';
import { TimeSeries } from './timeseries/View';

// What most dashboards have is loaded with the page, the rest when a panel wants it.
const BarChart = lazy(() => import('./barchart/View').then((m) => ({ default: m.BarChart })));
const BarGauge = lazy(() => import('./bargauge/View').then((m) => ({ default: m.BarGauge })));
const DashList = lazy(() => import('./dashlist/View').then((m) => ({ default: m.DashList })));
const Gauge = lazy(() => import('./gauge/View').then((m) => ({ default: m.Gauge })));
const Heatmap = lazy(() => import('./heatmap/View').then((m) => ({ default: m.Heatmap })));
const Histogram = lazy(() => import('./histogram/View').then((m) => ({ default: m.Histogram })));
const Logs = lazy(() => import('./logs/View').then((m) => ({ default: m.Logs })));
const PieChart = lazy(() => import('./piechart/View').then((m) => ({ default: m.PieChart })));
const StateTimeline = lazy(() =>
  import('./state-timeline/View').then((m) => ({ default: m.StateTimeline })),
);
const StatusHistory = lazy(() =>
  import('./status-history/View').then((m) => ({ default: m.StatusHistory })),
);
const Table = lazy(() => import('./table/View').then((m) => ({ default: m.Table })));

export const TYPES: readonly PanelType[] = [
  { id: 'timeseries', View: TimeSeries },
  { id: 'stat', View: Stat },
  { id: 'gauge', View: Gauge },
  { id: 'bargauge', View: BarGauge },
  { id: 'table', View: Table },
  { id: 'logs', View: Logs },
  { id: 'heatmap', View: Heatmap },
  { id: 'histogram', View: Histogram },
  { id: 'piechart', View: PieChart },
  { id: 'barchart', View: BarChart },
  { id: 'state-timeline', View: StateTimeline },
  { id: 'status-history', View: StatusHistory },
  { id: 'text', View: TextPanel, needsNoData: true },
  { id: 'dashlist', View: DashList, needsNoData: true },
  { id: 'annolist', View: AnnoList, needsNoData: true },
];

const BY_ID = new Map(TYPES.map((type) => [type.id, type]));

export function panelType(id: string): PanelType {
  return (
    BY_ID.get(id) ?? { id, View: NotSupported as ComponentType<PanelProps>, needsNoData: true }
  );
}

/** What stands in the place of a panel that is not drawn. */
function NotSupported({ panel }: PanelProps) {
  return (
    <Center h="100%" p="sm">
      <Text size="sm" ta="center" className="faint">
        Not supported: panels of the type <b>{panel.type === '' ? '(none)' : panel.type}</b>
      </Text>
    </Center>
  );
}
