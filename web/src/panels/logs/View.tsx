/** The lines that the queries of a panel found. */

import { useMemo } from 'react';
import { text } from '../../lib/json';
import type { PanelProps } from '../panel';
import { LogList } from './LogList';
import { prepareRows } from './prepare';

export function Logs({ panel, frames, height, zone }: PanelProps) {
  const { options } = panel;
  const descending = text(options, 'sortOrder') !== 'Ascending';
  const rows = useMemo(() => prepareRows(frames, descending), [frames, descending]);
  return (
    <LogList
      rows={rows}
      zone={zone}
      height={height}
      wrap={options.wrapLogMessage === true}
      showTime={options.showTime !== false}
      showLabels={options.showLabels === true}
      details={options.enableLogDetails !== false}
    />
  );
}
