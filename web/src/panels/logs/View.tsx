/** The lines that the queries of a panel found. */

import { useMemo } from 'react';
import { useLocation } from 'wouter';
import { linesOfRequest } from '../../dashboard/related';
import { formatLabels } from '../../frame/frame';
import { exploreUrl } from '../../lib/explore-url';
import { text, texts } from '../../lib/json';
import type { PanelProps } from '../panel';
import { LogList } from './LogList';
import { chosenFields, commonLabels, prepareRows, pretty, withoutRepeats } from './prepare';

/** Height of the line of labels that all lines share. */
const COMMON = 22;

export function Logs({ panel, frames, height, zone, range }: PanelProps) {
  const [, go] = useLocation();
  const { options } = panel;
  const descending = text(options, 'sortOrder') !== 'Ascending';
  const rows = useMemo(() => {
    const all = withoutRepeats(
      prepareRows(frames, descending),
      text(options, 'dedupStrategy') ?? 'none',
    );
    const names = texts(options, 'displayedFields');
    if (names.length > 0) return all.map((row) => ({ ...row, shown: chosenFields(row, names) }));
    return options.prettifyLogMessage === true
      ? all.map((row) => ({ ...row, shown: pretty(row.line) }))
      : all;
  }, [frames, descending, options]);
  const common = options.showCommonLabels === true ? formatLabels(commonLabels(rows)) : '';
  const list = (
    <LogList
      rows={rows}
      zone={zone}
      height={height - (common === '' ? 0 : COMMON)}
      wrap={options.wrapLogMessage === true || options.prettifyLogMessage === true}
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
  if (common === '') return list;
  return (
    <>
      <div className="cut faint mono logs-common" style={{ height: COMMON }} title={common}>
        {common}
      </div>
      {list}
    </>
  );
}
