/** Lanes of states over time; the state timeline and the status history both are these. */

import { readableOn } from '../../lib/color';
import { numeric, object, text } from '../../lib/json';
import type { PanelProps } from '../panel';
import { Swatches } from '../parts/Swatches';
import { TimeAxis, timeWriter } from '../parts/TimeAxis';
import type { States } from './prepare';

type Props = Pick<PanelProps, 'panel' | 'width' | 'height' | 'range' | 'zone'> & {
  readonly states: States;
  /** Pixels left free between two spans. */
  readonly gap: number;
};

const BOTTOM = 20;

export function Lanes({ panel, width, height, range, zone, states, gap }: Props) {
  const { lanes, legend } = states;
  const options = object(panel.options, 'legend');
  const shown = options.showLegend !== false && text(options, 'displayMode') !== 'hidden';
  const longest = lanes.reduce((most, lane) => Math.max(most, lane.name.length), 0);
  const left = Math.min(longest * 6.6 + 10, width * 0.32);
  const across = width - left - 6;
  const down = Math.max(height - BOTTOM - (shown ? 28 : 0), 20);
  const lane = down / Math.max(lanes.length, 1);
  const thick = Math.max(lane * (numeric(panel.options, 'rowHeight') ?? 0.9), 2);
  const x = (ms: number) => left + ((ms - range.from) / (range.to - range.from)) * across;
  const write = timeWriter(range, zone);
  const values = text(panel.options, 'showValue') ?? 'auto';
  const align = text(panel.options, 'alignValue') ?? 'left';
  const broad = numeric(panel.options, 'colWidth');
  const fits = Math.floor(left / 6.6);
  return (
    <div className="panel-column" style={{ width, height }}>
      <svg width={width} height={down + BOTTOM} role="img" aria-label={`Chart: ${panel.title}`}>
        <g className="axis">
          {lanes.map(({ name }, at) => (
            <text key={at} x={left - 6} y={(at + 0.5) * lane + 4} textAnchor="end">
              <title>{name}</title>
              {lane < 11 && at % Math.ceil(11 / lane) !== 0
                ? ''
                : name.length > fits
                  ? `${name.slice(0, fits - 1)}…`
                  : name}
            </text>
          ))}
        </g>
        {lanes.map(({ name, fill, spans }, at) =>
          spans.map((span) => {
            const [from, to] = [Math.max(x(span.from), left), Math.min(x(span.to), left + across)];
            const room = Math.max(to - from - gap, 1);
            const wide = broad === undefined ? room : Math.max(room * broad, 1);
            if (to < left || from > left + across) return null;
            const label = span.shown.text;
            const fitting = wide > label.length * 7 + 8 && thick > 13;
            return (
              <g key={span.from}>
                <rect
                  x={from}
                  y={at * lane + (lane - thick) / 2}
                  width={wide}
                  height={thick}
                  fill={span.shown.color}
                  fillOpacity={fill}
                  rx={1.5}
                >
                  <title>{`${name}: ${label}, ${write(span.from)} to ${write(span.to)}`}</title>
                </rect>
                {(values === 'always' || (values !== 'never' && fitting)) && (
                  <text
                    x={align === 'center' ? from + wide / 2 : align === 'right' ? to - 5 : from + 5}
                    textAnchor={align === 'center' ? 'middle' : align === 'right' ? 'end' : 'start'}
                    y={(at + 0.5) * lane + 4}
                    fontSize={11}
                    fill={readableOn(span.shown.color)}
                    pointerEvents="none"
                  >
                    {label}
                  </text>
                )}
              </g>
            );
          }),
        )}
        <TimeAxis range={range} zone={zone} left={left} width={across} top={down} />
      </svg>
      {shown && <Swatches of={legend} />}
    </div>
  );
}
