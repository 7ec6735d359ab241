/** Rows and columns: sorted by a click, filtered, thousands of rows without delay. */

import { Select } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useMemo, useRef, useState } from 'react';
import type { Shown } from '../../dashboard/fields/display';
import { displayName } from '../../frame/frame';
import { inkFor, readableOn, withAlpha } from '../../lib/color';
import { numeric } from '../../lib/json';
import { safeUrl } from '../../lib/link';
import type { PanelProps } from '../panel';
import {
  type Column,
  columnWidths,
  footerOf,
  prepareColumns,
  rowHeight,
  rowsOf,
  sortOf,
} from './prepare';
import './table.css';

export function Table({ panel, frames, width, height, dark, interpolate }: PanelProps) {
  const [shown, setShown] = useState(() => numeric(panel.options, 'frameIndex') ?? 0);
  const high = rowHeight(panel.options);
  const frame = frames[Math.min(shown, frames.length - 1)];
  const columns = useMemo(() => prepareColumns(frame, frames), [frame, frames]);
  const [sort, setSort] = useState(() => sortOf(panel.options));
  const [filters, setFilters] = useState<Readonly<Record<string, string>>>({});
  const rows = useMemo(
    () => rowsOf(columns, frame?.length ?? 0, sort, filters),
    [columns, frame, sort, filters],
  );
  const footer = useMemo(
    () => footerOf(columns, rows, panel.options),
    [columns, rows, panel.options],
  );
  const scroller = useRef<HTMLDivElement>(null);
  const header = panel.options.showHeader !== false;
  const filterable = columns.some((c) => c.filterable);
  const several = frames.length > 1;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => high,
    overscan: 8,
  });
  const widths = useMemo(() => columnWidths(columns, width - 10), [columns, width]);
  const total = widths.reduce((a, b) => a + b, 0);
  const template = widths.map((w) => `${w}px`).join(' ');
  return (
    <div style={{ display: 'flex', flexDirection: 'column', height, width }}>
      <div ref={scroller} className="table-scroller">
        {/* A grid, because only the rows in sight are in the page. */}
        <div
          role="table"
          aria-label={panel.title}
          aria-rowcount={rows.length}
          style={{ width: total }}
        >
          {header && (
            <div
              role="row"
              className="table-row table-head"
              style={{ gridTemplateColumns: template }}
            >
              {columns.map((c, at) => (
                <div
                  key={at}
                  role="columnheader"
                  aria-sort={
                    sort?.name !== c.name ? 'none' : sort.down ? 'descending' : 'ascending'
                  }
                  style={{ justifyContent: justify(c) }}
                >
                  <button
                    type="button"
                    className="cut"
                    title={c.name}
                    onClick={() => setSort(nextSort(sort, c.name))}
                  >
                    {c.name}
                    {sort?.name === c.name ? (sort.down ? ' ↓' : ' ↑') : ''}
                  </button>
                </div>
              ))}
            </div>
          )}
          {filterable && (
            <div role="row" className="table-row" style={{ gridTemplateColumns: template }}>
              {columns.map((c, at) => (
                <div key={at} role="cell">
                  {c.filterable && (
                    <input
                      className="table-filter"
                      aria-label={`Filter ${c.name}`}
                      placeholder="Filter"
                      value={filters[c.name] ?? ''}
                      onChange={(e) => setFilters({ ...filters, [c.name]: e.currentTarget.value })}
                    />
                  )}
                </div>
              ))}
            </div>
          )}
          <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
            {virtual.getVirtualItems().map((item) => {
              const row = rows[item.index] ?? 0;
              return (
                <div
                  key={item.key}
                  role="row"
                  className="table-row"
                  style={{
                    gridTemplateColumns: template,
                    position: 'absolute',
                    top: item.start,
                    height: high,
                    ...rowStyle(columns, row, dark),
                  }}
                >
                  {columns.map((c, at) => (
                    <Cell
                      key={at}
                      column={c}
                      row={row}
                      columns={columns}
                      dark={dark}
                      interpolate={interpolate}
                    />
                  ))}
                </div>
              );
            })}
          </div>
          {footer !== undefined && (
            <div
              role="row"
              className="table-row table-foot"
              style={{ gridTemplateColumns: template }}
            >
              {columns.map((c, at) => (
                <div key={at} role="cell" style={{ justifyContent: justify(c) }}>
                  <span className="cut">{footer[at]}</span>
                </div>
              ))}
            </div>
          )}
        </div>
      </div>
      {several && (
        <Select
          aria-label="Series"
          size="xs"
          value={String(shown)}
          onChange={(value) => setShown(Number(value ?? 0))}
          data={frames.map((f, at) => ({ value: String(at), label: frameName(f, frames, at) }))}
          allowDeselect={false}
        />
      )}
    </div>
  );
}

function frameName(
  f: PanelProps['frames'][number],
  frames: PanelProps['frames'],
  at: number,
): string {
  const value = f.fields.find((x) => x.type === 'number') ?? f.fields[0];
  return value === undefined ? `Series ${at + 1}` : displayName(value, frames);
}

function nextSort(sort: ReturnType<typeof sortOf>, name: string) {
  if (sort?.name !== name) return { name, down: false };
  return sort.down ? undefined : { name, down: true };
}

function justify(c: Column): string {
  return c.align === 'right' ? 'flex-end' : c.align === 'center' ? 'center' : 'flex-start';
}

type CellProps = {
  readonly column: Column;
  readonly row: number;
  readonly columns: readonly Column[];
  readonly dark: boolean;
  readonly interpolate: (template: string) => string;
};

function Cell({ column, row, columns, dark, interpolate }: CellProps) {
  const shown = column.display(column.field.values[row]);
  const [link] = column.links;
  const content =
    link === undefined ? (
      <span className="cut">{shown.text}</span>
    ) : (
      <a
        className="cut"
        href={safeUrl(interpolate(withCells(link.url, column, columns, row, shown)))}
        {...(link.newTab ? { target: '_blank', rel: 'noreferrer' } : {})}
      >
        {shown.text}
      </a>
    );
  return (
    <div
      role="cell"
      title={shown.text}
      style={{
        justifyContent: justify(column),
        ...(column.row ? {} : cellStyle(column, shown, dark)),
      }}
    >
      {column.cell === 'gauge' && shown.share !== undefined && (
        <span className="table-gauge" aria-hidden="true">
          <span style={gaugeStyle(column, shown)} />
        </span>
      )}
      {column.cell === 'gauge' && column.value === 'hidden' ? null : content}
    </div>
  );
}

function gaugeStyle({ bar }: Column, { share = 0, color }: Shown) {
  const width = `${share * 100}%`;
  if (bar === 'basic') return { width, background: color };
  if (bar === 'gradient')
    return { width, background: `linear-gradient(90deg, ${withAlpha(color, 0.35)}, ${color})` };
  const stripes = `repeating-linear-gradient(90deg, ${color} 0 6px, transparent 6px 8px)`;
  return { width, background: stripes };
}

/** The colour of the cell that colours its row, if one does. */
function rowStyle(columns: readonly Column[], row: number, dark: boolean) {
  const by = columns.find((c) => c.row && c.cell.startsWith('color-'));
  return by === undefined ? {} : cellStyle(by, by.display(by.field.values[row]), dark);
}

function cellStyle({ cell, gradient, value }: Column, { color }: Shown, dark: boolean) {
  if (cell === 'gauge') return value === 'text' ? {} : { color: inkFor(color, dark) };
  if (cell === 'color-text') return { color: inkFor(color, dark) };
  if (cell !== 'color-background' || color === 'transparent') return {};
  return {
    color: readableOn(color),
    background: gradient ? `linear-gradient(120deg, ${color}, ${withAlpha(color, 0.8)})` : color,
  };
}

/** `${__data.fields.name}`, `${__data.fields[0]}`, `${__value.raw}` and `:text` in a link. */
function withCells(
  url: string,
  column: Column,
  columns: readonly Column[],
  row: number,
  shown: Shown,
): string {
  const cell = (c: Column | undefined, format: string | undefined) => {
    if (c === undefined) return '';
    const raw = c.field.values[row];
    return encodeURIComponent(format === 'text' ? c.display(raw).text : String(raw ?? ''));
  };
  return url
    .replace(
      /\$\{__data\.fields\.([^}.:[\]]+)(?:\.(\w+))?\}/g,
      (_, name: string, format?: string) =>
        cell(
          columns.find((c) => c.name === name || c.field.name === name),
          format,
        ),
    )
    .replace(
      /\$\{__data\.fields\[(\d+|"[^"]+")\](?:\.(\w+))?\}/g,
      (_, key: string, format?: string) =>
        cell(
          key.startsWith('"')
            ? columns.find((c) => c.name === key.slice(1, -1))
            : columns[Number(key)],
          format,
        ),
    )
    .replace(/\$\{?__value\.text\}?/g, encodeURIComponent(shown.text))
    .replace(/\$\{?__value(?:\.(?:raw|numeric))?\}?/g, cell(column, 'raw'))
    .replace(/\$\{?__cell(?:_\d+)?\}?/g, cell(column, 'raw'));
}
