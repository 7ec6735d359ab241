/** Lines of a log: only those in sight are in the page; a click opens one. */

import { memo, type ReactNode, useCallback, useEffect, useRef, useState } from 'react';
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
  type Rows,
  shownLine,
} from './prepare';
import { useScroll } from './useScroll';
import './logs.css';

type Props = {
  readonly rows: Rows;
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
const END = 500;

export function LogList(props: Props) {
  const { rows, zone, height, wrap, showTime, showLabels = false, details } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const look = `${wrap} ${showTime} ${showLabels}`;
  const drawn = useRef<readonly string[]>([]);
  const idle = !drawn.current.some((key) => open.has(key));
  const { first, end, top, size, measure, show } = useScroll(scroller, rows, height, look, idle);
  const { onEnd, follow = false, marked } = props;
  useEffect(() => {
    if (rows.length > 0 && end >= rows.length - END) onEnd?.();
  }, [end, rows.length, onEnd]);
  useEffect(() => {
    if (follow && rows.length > 0) show('end');
  }, [follow, rows, show]);
  useEffect(() => {
    if (marked === undefined) return;
    for (let at = 0; at < rows.length; at += 1) {
      if (rows.at(at)?.key !== marked) continue;
      show(at);
      return;
    }
  }, [marked, rows, show]);
  const toggle = useCallback((key: string) => {
    setOpen((before) => {
      const next = new Set(before);
      if (!next.delete(key)) next.add(key);
      return next;
    });
  }, []);
  const inSight: { readonly at: number; readonly row: LogRow }[] = [];
  for (let at = first; at < end; at += 1) {
    const row = rows.at(at);
    if (row !== undefined) inSight.push({ at, row });
  }
  drawn.current = inSight.map(({ row }) => row.key);
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
      <div className="log-room" style={{ height: size }}>
        <div className="log-rows" style={{ transform: `translateY(${top}px)` }}>
          {inSight.map(({ at, row }) => {
            const opened = open.has(row.key);
            return (
              <div
                key={row.key}
                ref={measure}
                data-index={at}
                className="log-row"
                data-marked={row.key === marked}
              >
                <Line
                  row={row}
                  zone={zone}
                  showTime={showTime}
                  showLabels={showLabels}
                  opened={details ? opened : undefined}
                  onToggle={toggle}
                />
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
    </div>
  );
}

type LineProps = Pick<Props, 'zone' | 'showTime' | 'showLabels'> & {
  readonly row: LogRow;
  /** Nothing where a line has no details. */
  readonly opened: boolean | undefined;
  readonly onToggle: (key: string) => void;
};

/** A line that stays in sight is not drawn again while the list scrolls. */
const Line = memo(function Line({ row, zone, showTime, showLabels, opened, onToggle }: LineProps) {
  return (
    <button
      type="button"
      className="log-line"
      aria-expanded={opened}
      onClick={() => {
        // Choosing text with the mouse is not a click on the line.
        if (opened !== undefined && window.getSelection()?.isCollapsed !== false) onToggle(row.key);
      }}
    >
      <i style={{ background: LEVEL_COLORS[row.level] }} title={row.level} aria-hidden="true" />
      {showTime && (
        <time className="faint">{`${instant('iso', zone)(row.ms).text}.${millis(row.ms)}`}</time>
      )}
      {showLabels && <span className="faint">{labelsText(row)}</span>}
      <bdi dir="ltr">{shownLine(row.shown ?? row.line)}</bdi>
    </button>
  );
}, sameLine);

/** Rows are made anew of lines that are looked at again. */
function sameLine(before: LineProps, now: LineProps): boolean {
  const { row: one, ...rest } = before;
  const { row: other, ...others } = now;
  const same =
    one === other ||
    (one.key === other.key && one.source !== undefined && one.source === other.source);
  return same && one.shown === other.shown && shallow(rest, others);
}

function shallow<T extends object>(one: T, other: T): boolean {
  return (Object.keys(one) as (keyof T)[]).every((key) => Object.is(one[key], other[key]));
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
