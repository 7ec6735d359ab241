/** Bars in groups, standing or lying. */

import { useMemo } from 'react';
import { displayOf } from '../../dashboard/fields/display';
import { numeric, object, text } from '../../lib/json';
import { ticks } from '../../lib/ticks';
import type { PanelProps } from '../panel';
import { Swatches } from '../parts/Swatches';
import '../parts/parts.css';
import { prepareBarChart } from './prepare';

/** Room for marks: of numbers beside standing bars, of names beside lying ones. */
const NUMBERS = 52;
const MARKS = 20;

export function BarChart({ panel, frames, width, height }: PanelProps) {
  const view = useMemo(
    () => prepareBarChart(frames, panel.options, [width, height]),
    [frames, panel.options, width, height],
  );
  const write = useMemo(() => {
    const field = frames.flatMap((f) => f.fields).find((f) => f.type === 'number');
    return field === undefined ? undefined : displayOf(field);
  }, [frames]);
  if (view === undefined || write === undefined) return null;
  const { names, series, low, high, horizontal, stacked } = view;
  const legend =
    object(panel.options, 'legend').showLegend !== false &&
    object(panel.options, 'legend').displayMode !== 'hidden' &&
    series.length > 1;
  const longest = names.reduce((most, name) => Math.max(most, name.length), 0);
  const left = horizontal ? Math.min(longest * 6.5 + 12, width * 0.4) : NUMBERS;
  const [across, down] = [width - left - 8, height - MARKS - (legend ? 28 : 0)];
  const along = horizontal ? across : down - 8;
  const place = (value: number) => ((value - low) / (high - low)) * along;
  const group = (horizontal ? down : across) / Math.max(names.length, 1);
  const side = stacked ? 1 : series.length;
  const taken = Math.min(Math.max(numeric(panel.options, 'groupWidth') ?? 0.8, 0.05), 1);
  const thick = (group * taken) / side;
  const breadth = Math.min(Math.max(numeric(panel.options, 'barWidth') ?? 0.97, 0.05), 1);
  const values = text(panel.options, 'showValue') ?? 'auto';
  const cut = numeric(panel.options, 'xTickLabelMaxLength') ?? 16;
  // Names that would touch each other are left out evenly.
  const skip = horizontal
    ? Math.ceil(14 / group)
    : Math.max(Math.ceil((Math.min(longest, 16) * 6.5 + 8) / group), 1);
  return (
    <div className="panel-column" style={{ width, height }}>
      <svg width={width} height={down + MARKS} role="img" aria-label={`Chart: ${panel.title}`}>
        <g className="axis">
          {ticks(low, high, Math.max(Math.floor(along / (horizontal ? 90 : 40)), 1)).map((value) =>
            horizontal ? (
              <g key={value}>
                <line x1={left + place(value)} x2={left + place(value)} y1={0} y2={down} />
                <text x={left + place(value)} y={down + 14} textAnchor="middle">
                  {write(value).text}
                </text>
              </g>
            ) : (
              <g key={value}>
                <line x1={left} x2={width - 8} y1={down - place(value)} y2={down - place(value)} />
                <text x={left - 6} y={down - place(value) + 4} textAnchor="end">
                  {write(value).text}
                </text>
              </g>
            ),
          )}
          {names.map((name, at) =>
            at % skip !== 0 ? null : horizontal ? (
              <text key={at} x={left - 6} y={(at + 0.5) * group + 4} textAnchor="end">
                {shortened(name, left / 6.5)}
              </text>
            ) : (
              <text key={at} x={left + (at + 0.5) * group} y={down + 14} textAnchor="middle">
                {shortened(name, cut > 0 ? cut : 16)}
              </text>
            ),
          )}
        </g>
        {series.map((one, index) =>
          one.bars.map((bar, at) => {
            const [from, to] = [
              place(Math.min(bar.from, bar.to)),
              place(Math.max(bar.from, bar.to)),
            ];
            const start = (at + (1 - taken) / 2) * group + (stacked ? 0 : index * thick);
            const broad = Math.max(thick * breadth, 1);
            const word = bar.shown.text;
            const fits = horizontal
              ? broad > 11 && (stacked ? to - from > word.length * 7 : true)
              : broad > word.length * 6.6;
            const box = horizontal
              ? { x: left + from, y: start, width: to - from, height: broad }
              : { x: left + start, y: down - to, width: broad, height: to - from };
            return (
              <g key={`${index}/${at}`}>
                <rect {...box} fill={bar.color} fillOpacity={one.fill} rx={1}>
                  <title>{`${names[at]}, ${one.name}: ${word}`}</title>
                </rect>
                {(values === 'always' || (values === 'auto' && fits)) && (
                  <text
                    className="bar-value"
                    x={horizontal ? box.x + box.width + (stacked ? -4 : 4) : box.x + broad / 2}
                    y={horizontal ? box.y + broad / 2 + 4 : box.y + (stacked ? 13 : -3)}
                    textAnchor={horizontal ? (stacked ? 'end' : 'start') : 'middle'}
                  >
                    {word}
                  </text>
                )}
              </g>
            );
          }),
        )}
      </svg>
      {legend && <Swatches of={series} />}
    </div>
  );
}

function shortened(name: string, most: number): string {
  return name.length > most ? `${name.slice(0, Math.max(Math.floor(most) - 1, 1))}…` : name;
}
