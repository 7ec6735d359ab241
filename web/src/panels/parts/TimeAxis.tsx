/** The marks of time under a drawing, and the zone's way of writing them. */

import { timeMark, timeTicks } from '../../lib/ticks';
import type { TimeRange } from '../../lib/time/relative';
import { intlZone, offsetOf, type Zone } from '../../lib/time/zone';
import './parts.css';

type Props = {
  readonly range: TimeRange;
  readonly zone: Zone;
  readonly left: number;
  readonly width: number;
  readonly top: number;
};

/** Pixels to the right of the axis that are free in every drawing, and the width of a letter. */
const ROOM = 4;
const LETTER = 6.6;

export function TimeAxis({ range, zone, left, width, top }: Props) {
  const offset = offsetOf(range.from, zone);
  const places = timeTicks(range.from, range.to, Math.max(Math.floor(width / 80), 1), offset);
  const step = (places[1] ?? range.to) - (places[0] ?? range.from);
  return (
    <g className="axis">
      {places.map((at) => {
        const x = left + ((at - range.from) / (range.to - range.from)) * width;
        const mark = timeMark(at, step, zone);
        // The last one stands to the left of its place where the drawing ends.
        const end = left + width + ROOM;
        const over = x + (mark.length * LETTER) / 2 > end;
        return (
          <text key={at} x={over ? end : x} y={top + 14} textAnchor={over ? 'end' : 'middle'}>
            {mark}
          </text>
        );
      })}
    </g>
  );
}

/** Seconds in a short range, days in a long one. */
export function timeWriter(range: TimeRange, zone: Zone): (ms: number) => string {
  const width = range.to - range.from;
  const timeZone = { timeZone: intlZone(zone) };
  const clock = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
  const day = { month: '2-digit', day: '2-digit' } as const;
  const format = new Intl.DateTimeFormat(
    'sv-SE',
    width > 5 * 86_400_000
      ? { ...day, ...timeZone }
      : width > 86_400_000
        ? { ...day, ...clock, ...timeZone }
        : width < 300_000
          ? { ...clock, second: '2-digit', ...timeZone }
          : { ...clock, ...timeZone },
  );
  return (ms) => format.format(ms);
}
