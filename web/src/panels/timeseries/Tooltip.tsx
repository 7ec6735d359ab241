/** What is under the crosshair: time, and the value of the nearest series or of all. */

import { linksOf } from '../../dashboard/links';
import { instant } from '../../dashboard/units/time';
import type { Zone } from '../../lib/time/calendar';
import type { TimeSeriesView } from './prepare';
import './timeseries.css';

export type TooltipState = {
  readonly at: number;
  readonly left: number;
  readonly top: number;
  readonly y: number;
};

type Props = {
  readonly state: TooltipState;
  readonly view: TimeSeriesView;
  readonly zone: Zone;
  readonly all: boolean;
  readonly order: 'asc' | 'desc';
  readonly zeros: boolean;
  readonly width: number;
  readonly interpolate: (template: string) => string;
  /** Given when the tooltip stays: it then shows the links of the nearest series. */
  readonly onClose?: () => void;
};

const ROWS_MAX = 20;

export function Tooltip({ state, view, zone, all, order, zeros, width, ...more }: Props) {
  const time = view.times[state.at];
  if (time === undefined) return null;
  const rows = view.series
    .filter((s) => !s.hidden && s.inTooltip)
    .flatMap((s) => {
      const raw = s.raw[state.at];
      return raw === null || raw === undefined || (raw === 0 && !zeros)
        ? []
        : [{ s, raw, drawn: s.values[state.at] ?? raw }];
    });
  if (rows.length === 0) return null;
  const nearest = [...rows].sort(
    (a, b) => Math.abs(a.drawn - state.y) - Math.abs(b.drawn - state.y),
  );
  const shown = all
    ? [...rows].sort((a, b) => (order === 'asc' ? a.raw - b.raw : b.raw - a.raw)).slice(0, ROWS_MAX)
    : nearest.slice(0, 1);
  const [near] = nearest;
  const links =
    more.onClose === undefined || near === undefined
      ? []
      : linksOf(
          near.s.field,
          { value: near.raw, text: near.s.display(near.raw).text, ms: time * 1_000 },
          more.interpolate,
        );
  const onRight = state.left > width / 2;
  return (
    <div
      className="chart-tooltip"
      data-pinned={more.onClose !== undefined}
      style={{
        top: Math.max(state.top - 10, 0),
        ...(onRight ? { right: `calc(100% - ${state.left - 14}px)` } : { left: state.left + 14 }),
      }}
    >
      <div className="faint">{instant('iso', zone)(time * 1_000).text}</div>
      {shown.map(({ s, raw }, at) => (
        <div key={at} className="chart-tooltip-row" data-near={s === nearest[0]?.s}>
          <span className="legend-mark" style={{ background: s.color }} />
          <span className="cut">{s.name}</span>
          <b>{s.display(raw).text}</b>
        </div>
      ))}
      {rows.length > shown.length && all && (
        <div className="faint">and {rows.length - shown.length} more</div>
      )}
      {links.map((link) => (
        <a
          key={link.title + link.href}
          href={link.href}
          {...(link.newTab ? { target: '_blank', rel: 'noreferrer' } : {})}
        >
          {link.title}
        </a>
      ))}
      {more.onClose !== undefined && (
        <button type="button" className="chart-tooltip-close" onClick={more.onClose}>
          Close
        </button>
      )}
    </div>
  );
}
