/** Every panel type, in one table; the next one is one folder and one line. */

import { Center, Text } from '@mantine/core';
import { type ComponentType, lazy } from 'react';
import type { PanelProps, PanelType } from './panel';
import { Stat } from './stat/View';
import { TextPanel } from './text/View';
import { TimeSeries } from './timeseries/View';

const Table = lazy(() => import('./table/View').then((m) => ({ default: m.Table })));

const TYPES: readonly PanelType[] = [
  { id: 'timeseries', View: TimeSeries },
  { id: 'stat', View: Stat },
  { id: 'table', View: Table },
  { id: 'text', View: TextPanel, needsNoData: true },
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
