/** Names and calculations of the series; a click shows one alone, with a modifier several. */

import { memo, useState } from 'react';
import { calculationName, reduceValues } from '../../dashboard/fields/reduce';
import { compare } from '../../dashboard/transform/organize';
import type { SeriesView } from './prepare';
import './timeseries.css';

type Sort = { readonly by: string; readonly down: boolean };

type Props = {
  readonly series: readonly SeriesView[];
  readonly only: ReadonlySet<string>;
  readonly onOnly: (only: ReadonlySet<string>) => void;
  readonly calcs: readonly string[];
  /** The order that the file asks for, by the name of a column. */
  readonly sorted: Sort | undefined;
  readonly asTable: boolean;
  readonly width: number;
  readonly height: number;
};

/** Legends longer than this are cut; a table panel is for thousands of rows. */
const ROWS_MAX = 300;

/** The points of the series itself, without the moments of others. */
function own({ raw }: SeriesView) {
  return raw.filter((point) => point !== undefined);
}

/** Not drawn anew while the pointer moves over the chart: thousands of series are thousands of sums. */
export const Legend = memo(function Legend(props: Props) {
  const { series, only, onOnly, calcs, sorted, asTable, width, height } = props;
  const [sort, setSort] = useState<Sort | undefined>(() => {
    const by = sorted?.by === 'Name' ? '' : calcs.find((id) => calculationName(id) === sorted?.by);
    return sorted === undefined || by === undefined ? undefined : { by, down: sorted.down };
  });
  const listed = series.filter((s) => s.inLegend);
  const more = listed.length - ROWS_MAX;
  const rows = listed.map((s) => ({ s, cells: calcs.map((id) => reduceValues(own(s), id)) }));
  if (sort !== undefined) {
    const at = calcs.indexOf(sort.by);
    rows.sort((a, b) =>
      at < 0
        ? compare(a.s.name, b.s.name, sort.down)
        : compare(a.cells[at], b.cells[at], sort.down),
    );
  }
  const toggle = (name: string, several: boolean) => {
    const next = new Set(several ? only : []);
    if (only.has(name) && (several || only.size === 1)) next.delete(name);
    else next.add(name);
    onOnly(next);
  };
  const dim = (s: SeriesView) => only.size > 0 && !only.has(s.name);
  const button = (s: SeriesView) => (
    <button
      type="button"
      className="legend-name"
      data-dim={dim(s)}
      aria-pressed={only.has(s.name)}
      title={s.name}
      onClick={(event) => toggle(s.name, event.ctrlKey || event.metaKey || event.shiftKey)}
    >
      <span className="legend-mark" style={{ background: s.color }} />
      <span className="cut">{s.name}</span>
    </button>
  );
  if (!asTable) {
    return (
      <div className="legend" style={{ width, height }}>
        {rows.slice(0, ROWS_MAX).map(({ s, cells }, at) => (
          <span key={at} className="legend-item">
            {button(s)}
            {cells.map((cell, i) => (
              <span key={calcs[i]} className="legend-calc">
                {calculationName(calcs[i] ?? '')}: {s.display(cell).text}
              </span>
            ))}
          </span>
        ))}
        {more > 0 && <span className="faint">and {more.toLocaleString('en')} more</span>}
      </div>
    );
  }
  const head = (id: string, label: string, number: boolean) => (
    <th
      key={id}
      scope="col"
      data-number={number}
      aria-sort={sort?.by !== id ? 'none' : sort.down ? 'descending' : 'ascending'}
    >
      <button
        type="button"
        onClick={() => setSort({ by: id, down: sort?.by === id ? !sort.down : number })}
      >
        {label}
        {sort?.by === id ? (sort.down ? ' ↓' : ' ↑') : ''}
      </button>
    </th>
  );
  return (
    <div className="legend legend-table" style={{ width, height }}>
      <table>
        <thead>
          <tr>
            {head('', 'Name', false)}
            {calcs.map((id) => head(id, calculationName(id), true))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, ROWS_MAX).map(({ s, cells }, at) => (
            <tr key={at}>
              <td>{button(s)}</td>
              {cells.map((cell, i) => (
                <td key={calcs[i]} data-number>
                  {s.display(cell).text}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {more > 0 && <div className="faint">and {more.toLocaleString('en')} more</div>}
    </div>
  );
});
