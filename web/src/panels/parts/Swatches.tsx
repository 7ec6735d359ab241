/** A legend of colours and words, for panels whose colours are states or slices. */

import './parts.css';

export type Swatch = { readonly name: string; readonly color: string; readonly value?: string };

type Props = { readonly of: readonly Swatch[]; readonly column?: boolean };

/** More than this would push the drawing out of its panel. */
const SWATCHES_MAX = 100;

export function Swatches({ of, column = false }: Props) {
  return (
    <ul className="swatches" data-column={column}>
      {of.slice(0, SWATCHES_MAX).map(({ name, color, value }) => (
        <li key={name} title={value === undefined ? name : `${name}: ${value}`}>
          <span style={{ background: color }} />
          <span className="cut">{name}</span>
          {value !== undefined && <b>{value}</b>}
        </li>
      ))}
    </ul>
  );
}
