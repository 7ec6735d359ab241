/** One large value a tile, with the colour of its threshold and a line of its past. */

import { useMemo } from 'react';
import { linksOf } from '../../dashboard/links';
import { cssColor, inkFor, readableOn, withAlpha } from '../../lib/color';
import { type Json, numeric, object, text } from '../../lib/json';
import type { PanelProps } from '../panel';
import { changeOf, prepareTiles, type Tile, textMode, tileGrid } from './prepare';
import { Sparkline } from './Sparkline';
import './stat.css';

/** Of a tile, on both sides together; see stat.css. */
const PADDING = 22;
/** The widest of the fonts that a system may have, in bold: nothing of a value is cut. */
const LETTER = 0.7;

export function Stat({ panel, frames, width, height, interpolate, dark }: PanelProps) {
  const tiles = useMemo(() => prepareTiles(frames, panel.options), [frames, panel.options]);
  const { columns, rows } = tileGrid(
    tiles.length,
    width,
    height,
    text(panel.options, 'orientation') ?? 'auto',
  );
  const [w, h] = [width / columns, height / rows];
  const show = textMode(panel.options, tiles.length);
  return (
    <div className="stat-grid" style={{ gridTemplateColumns: `repeat(${columns}, 1fr)`, height }}>
      {tiles.map((tile, at) => (
        <StatTile
          key={at}
          tile={tile}
          width={w - 4}
          height={h - 4}
          show={show}
          options={panel.options}
          interpolate={interpolate}
          dark={dark}
        />
      ))}
    </div>
  );
}

type TileProps = {
  readonly tile: Tile;
  readonly width: number;
  readonly height: number;
  readonly show: { name: boolean; value: boolean };
  readonly options: Json;
  readonly interpolate: PanelProps['interpolate'];
  readonly dark: boolean;
};

function StatTile({ tile, width, height, show, options, interpolate, dark }: TileProps) {
  const colorMode = text(options, 'colorMode') ?? 'value';
  const { color } = tile.shown;
  const filled = colorMode.startsWith('background') && color !== 'transparent';
  const graphMode = text(options, 'graphMode');
  const graph =
    (graphMode === 'area' || graphMode === 'line') && tile.sparkline.length > 1 && height > 54;
  const { prefix = '', text: number, suffix = '' } = tile.shown.parts;
  const [ahead, behind] = [text(options, 'prefix') ?? '', text(options, 'postfix') ?? ''];
  const change = options.showPercentChange === true ? changeOf(tile) : undefined;
  const length = show.value
    ? (ahead + prefix + number).length + (suffix + behind).length * 0.6
    : tile.name.length;
  const space = (graph ? height * 0.66 : height) - (change === undefined ? 0 : 18);
  const beside = show.name && show.value && height < 52 && options.wideLayout !== false;
  const sizes = object(options, 'text');
  const size =
    numeric(sizes, 'valueSize') ??
    Math.max(
      12,
      Math.min(
        64,
        (beside ? width * 0.5 : width - PADDING) / Math.max(length, 1) / LETTER,
        space * (show.name && !beside ? 0.46 : 0.62),
      ),
    );
  const legible = inkFor(color, dark);
  const ink = filled ? readableOn(color) : colorMode === 'none' ? 'inherit' : legible;
  const centered = text(options, 'justifyMode') === 'center' || (!graph && !beside && !show.name);
  const [link] = linksOf(
    tile.field,
    { value: tile.shown.number, text: tile.shown.text },
    interpolate,
  );
  const Tag = link === undefined ? 'div' : 'a';
  return (
    <Tag
      {...(link === undefined
        ? {}
        : { href: link.href, ...(link.newTab ? { target: '_blank', rel: 'noreferrer' } : {}) })}
      className="stat-tile"
      data-beside={beside}
      data-centered={centered}
      style={
        filled
          ? {
              background:
                colorMode === 'background'
                  ? `linear-gradient(120deg, ${color}, ${withAlpha(color, 0.82)})`
                  : color,
              color: ink,
            }
          : undefined
      }
      title={`${tile.name}: ${tile.shown.text}`}
    >
      {show.name && (
        <span
          className="stat-name cut"
          style={{ color: filled ? ink : undefined, fontSize: numeric(sizes, 'titleSize') }}
        >
          {tile.name}
        </span>
      )}
      {show.value && (
        <span className="stat-value" style={{ fontSize: size, color: ink }}>
          <small>
            {ahead}
            {prefix}
          </small>
          {number}
          <small>
            {suffix}
            {behind}
          </small>
        </span>
      )}
      {change !== undefined && (
        <span className="stat-change" style={{ color: changeColor(change, ink, filled, options) }}>
          {`${change > 0 ? '↑' : change < 0 ? '↓' : ''} ${(Math.abs(change) * 100).toFixed(1)}%`}
        </span>
      )}
      {graph && (
        <Sparkline
          values={tile.sparkline}
          width={width}
          height={height * 0.34}
          color={filled ? ink : color}
          filled={graphMode === 'area'}
        />
      )}
    </Tag>
  );
}

function changeColor(change: number, ink: string, filled: boolean, options: Json): string {
  const mode = text(options, 'percentChangeColorMode') ?? 'standard';
  if (filled || mode === 'same_as_value' || change === 0) return ink;
  return cssColor(change > 0 === (mode === 'standard') ? 'semi-dark-green' : 'semi-dark-red');
}
