/** Bars beside their names and values, lying or standing. */

import { useMemo } from 'react';
import { linksOf } from '../../dashboard/links';
import { inkFor } from '../../lib/color';
import type { PanelProps } from '../panel';
import { type Bar, type BarGaugeView, prepareBars } from './prepare';
import './bargauge.css';

export function BarGauge({ panel, frames, width, height, interpolate, dark }: PanelProps) {
  const view = useMemo(
    () => prepareBars(frames, panel.options, width, height),
    [frames, panel.options, width, height],
  );
  return (
    <div className="bargauge" data-horizontal={view.horizontal} style={{ width, height }}>
      {view.bars.map((bar, at) => (
        <One key={at} bar={bar} view={view} dark={dark} interpolate={interpolate} />
      ))}
    </div>
  );
}

/** Cells of a bar that is drawn as lights. */
const CELLS = 30;

type OneProps = {
  readonly bar: Bar;
  readonly view: BarGaugeView;
  readonly dark: boolean;
  readonly interpolate: PanelProps['interpolate'];
};

function One({ bar, view, dark, interpolate }: OneProps) {
  const { shown, name, share } = bar;
  const [link] = linksOf(bar.field, { value: shown.number, text: shown.text }, interpolate);
  const along = view.horizontal ? 'width' : 'height';
  return (
    <div className="bargauge-one" data-name={view.name}>
      {view.name !== 'hidden' && (
        <span className="cut bargauge-name" title={name}>
          {name}
        </span>
      )}
      <div
        className="bargauge-track"
        data-unfilled={view.unfilled && view.mode !== 'lcd'}
        role="meter"
        aria-label={name}
        aria-valuetext={shown.text}
        aria-valuenow={Math.round(share * 100)}
        aria-valuemin={0}
        aria-valuemax={100}
      >
        {view.mode === 'lcd' ? (
          Array.from({ length: CELLS }, (_, at) => {
            const place = (at + 0.5) / CELLS;
            const lit = place <= share;
            return (
              <i
                key={at}
                style={{
                  background: bar.colorAt(place),
                  opacity: lit ? 1 : view.unfilled ? 0.14 : 0,
                }}
              />
            );
          })
        ) : (
          <div
            className="bargauge-fill"
            style={{
              [along]: `${share * 100}%`,
              background: view.mode === 'basic' ? shown.color : gradient(bar, view.horizontal),
            }}
          />
        )}
      </div>
      {view.value !== 'hidden' && (
        <span
          className="bargauge-value"
          style={view.value === 'text' ? undefined : { color: inkFor(shown.color, dark) }}
        >
          {link === undefined ? shown.text : <a href={link.href}>{shown.text}</a>}
        </span>
      )}
    </div>
  );
}

/** From the colour of the scale's start to that of the value. */
function gradient({ colorAt, share, shown }: Bar, horizontal: boolean): string {
  const stops = [0, 0.25, 0.5, 0.75].map((part) => colorAt(part * share));
  return `linear-gradient(${horizontal ? 'to right' : 'to top'}, ${stops.join(', ')}, ${shown.color})`;
}
