/** Every panel type, in one table; the next one is one folder and one line. */

import { Center, Text } from '@mantine/core';
import type { ComponentType } from 'react';
import { type OnDemand, onDemand } from '../ui/onDemand';
import { AnnoList } from './annolist/View';
import type { PanelProps, PanelType } from './panel';
import { Stat } from './stat/View';
import { TimeSeries } from './timeseries/View';

// What most dashboards have is loaded with the page, the rest when a panel wants it.
const BarChart = onDemand(() => import('./barchart/View').then((m) => m.BarChart));
const BarGauge = onDemand(() => import('./bargauge/View').then((m) => m.BarGauge));
const DashList = onDemand(() => import('./dashlist/View').then((m) => m.DashList));
const Gauge = onDemand(() => import('./gauge/View').then((m) => m.Gauge));
const Heatmap = onDemand(() => import('./heatmap/View').then((m) => m.Heatmap));
const Histogram = onDemand(() => import('./histogram/View').then((m) => m.Histogram));
const Logs = onDemand(() => import('./logs/View').then((m) => m.Logs));
const PieChart = onDemand(() => import('./piechart/View').then((m) => m.PieChart));
const StateTimeline = onDemand(() => import('./state-timeline/View').then((m) => m.StateTimeline));
const StatusHistory = onDemand(() => import('./status-history/View').then((m) => m.StatusHistory));
const Table = onDemand(() => import('./table/View').then((m) => m.Table));
const TextPanel = onDemand(() => import('./text/View').then((m) => m.TextPanel));

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

/** Begins to load the views of a board's panels, before their data are there to be drawn. */
export function loadViews(ids: Iterable<string>): void {
  for (const id of new Set(ids)) {
    const View = BY_ID.get(id)?.View;
    if (View !== undefined && 'load' in View) (View as OnDemand<PanelProps>).load();
  }
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
