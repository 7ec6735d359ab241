/** The lines that the queries of a panel found. */

import { useMemo } from 'react';
import { useLocation } from 'wouter';
import { linesOfRequest } from '../../dashboard/related';
import { exploreUrl } from '../../lib/explore-url';
import { text } from '../../lib/json';
import type { PanelProps } from '../panel';
import { LogList } from './LogList';
import { prepareRows } from './prepare';

export function Logs({ panel, frames, height, zone, range }: PanelProps) {
  const [, go] = useLocation();
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
      onRequest={(row, id) =>
        go(
          exploreUrl({
            kind: 'logs',
            exprs: [linesOfRequest(row.source?.stream ?? row.labels, id)],
            ...range,
          }),
        )
      }
    />
  );
}
