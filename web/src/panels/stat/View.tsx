/** One large value a tile, with the colour of its threshold and a line of its past. */

import { useMemo } from 'react';
import { readableOn, withAlpha } from '../../lib/color';
import { text } from '../../lib/json';
import type { PanelProps } from '../panel';
import { prepareTiles, type Tile, textMode, tileGrid } from './prepare';
import { Sparkline } from './Sparkline';
import './stat.css';

export function Stat({ panel, frames, width, height }: PanelProps) {
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
  readonly options: PanelProps['panel']['options'];
};

function StatTile({ tile, width, height, show, options }: TileProps) {
  const colorMode = text(options, 'colorMode') ?? 'value';
  const { color } = tile.shown;
  const filled = colorMode.startsWith('background') && color !== 'transparent';
  const graph = text(options, 'graphMode') === 'area' && tile.sparkline.length > 1 && height > 54;
  const { prefix = '', text: number, suffix = '' } = tile.shown.parts;
  const length = show.value
    ? prefix.length + number.length + suffix.length * 0.6
    : tile.name.length;
  const space = graph ? height * 0.66 : height;
  const beside = show.name && show.value && height < 52;
  const size = Math.max(
    12,
    Math.min(
      64,
      (width * (beside ? 0.5 : 0.9)) / Math.max(length, 1) / 0.58,
      space * (show.name && !beside ? 0.46 : 0.62),
    ),
  );
  const ink = filled ? readableOn(color) : colorMode === 'none' ? 'inherit' : color;
  const centered =
    text(options, 'justifyMode') === 'center' ||
    (!graph && !beside && text(options, 'justifyMode') !== 'left' && !show.name);
  return (
    <div
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
        <span className="stat-name cut" style={{ color: filled ? ink : undefined }}>
          {tile.name}
        </span>
      )}
      {show.value && (
        <span className="stat-value" style={{ fontSize: size, color: ink }}>
          <small>{prefix}</small>
          {number}
          <small>{suffix}</small>
        </span>
      )}
      {graph && (
        <Sparkline
          values={tile.sparkline}
          width={width}
          height={height * 0.34}
          color={filled ? ink : color}
        />
      )}
    </div>
  );
}
