/** Lines of a log: only those in sight are in the page; a click opens one. */

import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react';
import { isRequestId } from '../../dashboard/related';
import { instant } from '../../dashboard/units/time';
import type { Zone } from '../../lib/time/calendar';
import {
  byOrigin,
  type Detail,
  detailsOf,
  LEVEL_COLORS,
  type LogRow,
  type Origin,
  shownLine,
} from './prepare';
import './logs.css';

type Props = {
  readonly rows: readonly LogRow[];
  readonly zone: Zone;
  readonly height: number;
  readonly wrap: boolean;
  readonly showTime: boolean;
  readonly showLabels?: boolean;
  readonly details: boolean;
  /** Narrows the query to, or away from, a field of an opened line. */
  readonly onFilter?: ((detail: Detail, keep: boolean) => void) | undefined;
  /** Finds all lines of the request that a field of an opened line names. */
  readonly onRequest?: ((row: LogRow, id: string) => void) | undefined;
  /** What else can be done with an opened line. */
  readonly actions?: (row: LogRow) => ReactNode;
  /** Told when the end of the list comes into sight. */
  readonly onEnd?: () => void;
  /** Keeps the end of the list in sight while it grows. */
  readonly follow?: boolean;
  /** The line that stands out among its neighbours. */
  readonly marked?: string | undefined;
};

/** Rows before the last at which the end is told, so that more is there in time. */
const END = 200;

export function LogList(props: Props) {
  const { rows, zone, height, wrap, showTime, showLabels = false, details } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  // Another function would have every line measured again at every step of a scroll.
  const keyOf = useCallback((at: number) => rows[at]?.key ?? at, [rows]);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 22,
    getItemKey: keyOf,
    overscan: 12,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? -1;
  const { onEnd, follow = false, marked } = props;
  useEffect(() => {
    if (rows.length > 0 && last >= rows.length - END) onEnd?.();
  }, [last, rows.length, onEnd]);
  const newest = rows.at(-1)?.key;
  useEffect(() => {
    if (follow && newest !== undefined) virtual.scrollToIndex(rows.length - 1, { align: 'end' });
  }, [follow, newest, rows.length, virtual]);
  useEffect(() => {
    const at = marked === undefined ? -1 : rows.findIndex((row) => row.key === marked);
    if (at >= 0) virtual.scrollToIndex(at, { align: 'center' });
  }, [marked, rows, virtual]);
  const time = instant('iso', zone);
  const toggle = (key: string) => {
    const next = new Set(open);
    if (!next.delete(key)) next.add(key);
    setOpen(next);
  };
  return (
    <div
      ref={scroller}
      className="logs mono"
      data-wrap={wrap}
      style={{ height }}
      role="log"
      aria-live="off"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
      tabIndex={0}
    >
      <div style={{ height: virtual.getTotalSize(), position: 'relative' }}>
        {items.map((item) => {
          const row = rows[item.index];
          if (row === undefined) return null;
          const opened = open.has(row.key);
          return (
            <div
              key={item.key}
              ref={virtual.measureElement}
              data-index={item.index}
              className="log-row"
              data-marked={row.key === marked}
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <button
                type="button"
                className="log-line"
                aria-expanded={details ? opened : undefined}
                onClick={() => {
                  // Choosing text with the mouse is not a click on the line.
                  if (details && window.getSelection()?.isCollapsed !== false) toggle(row.key);
                }}
              >
                <i
                  style={{ background: LEVEL_COLORS[row.level] }}
                  title={row.level}
                  aria-hidden="true"
                />
                {showTime && (
                  <time className="faint">{`${time(row.ms).text}.${millis(row.ms)}`}</time>
                )}
                {showLabels && <span className="faint">{labelsText(row)}</span>}
                <bdi dir="ltr">{shownLine(row.shown ?? row.line)}</bdi>
              </button>
              {opened && (
                <Details row={row} onFilter={props.onFilter} onRequest={props.onRequest}>
                  {props.actions?.(row)}
                </Details>
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function millis(ms: number): string {
  return String(Math.floor(((ms % 1_000) + 1_000) % 1_000)).padStart(3, '0');
}

function labelsText(row: LogRow): string {
  return Object.entries(row.labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')
    .slice(0, 300);
}

type DetailsProps = Pick<Props, 'onFilter' | 'onRequest'> & {
  readonly row: LogRow;
  readonly children: ReactNode;
};

const ORIGIN_WORDS: Readonly<Record<Origin, string>> = {
  stream: 'Labels of the stream',
  metadata: 'Structured metadata',
  parsed: 'Made by the query',
  line: 'In the line',
};

function Details({ row, onFilter, onRequest, children }: DetailsProps) {
  const groups = byOrigin(detailsOf(row));
  return (
    <div className="log-details">
      {children !== undefined && <div className="log-actions">{children}</div>}
      <table>
        {groups.map(([origin, details]) => (
          <tbody key={origin}>
            {groups.length > 1 && (
              <tr>
                <th className="log-origin" colSpan={3} scope="rowgroup">
                  {ORIGIN_WORDS[origin]}
                </th>
              </tr>
            )}
            {details.map((detail) => (
              <tr key={detail.name}>
                {onFilter !== undefined && (
                  <td>
                    <button
                      type="button"
                      aria-label={`Only lines with ${detail.name} = ${detail.value}`}
                      title="Only these"
                      onClick={() => onFilter(detail, true)}
                    >
                      +
                    </button>
                    <button
                      type="button"
                      aria-label={`No lines with ${detail.name} = ${detail.value}`}
                      title="Without these"
                      onClick={() => onFilter(detail, false)}
                    >
                      −
                    </button>
                  </td>
                )}
                <th scope="row">{detail.name}</th>
                <td>
                  <bdi dir="ltr">{shownLine(detail.value)}</bdi>
                  {onRequest !== undefined && detail.value !== '' && isRequestId(detail.name) && (
                    <button
                      type="button"
                      className="log-request"
                      onClick={() => onRequest(row, detail.value)}
                    >
                      All its lines
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        ))}
      </table>
    </div>
  );
}
