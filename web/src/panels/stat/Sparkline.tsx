/** A line without axes. */

import { useId } from 'react';

type Props = {
  readonly values: readonly (number | null)[];
  readonly width: number;
  readonly height: number;
  readonly color: string;
  readonly filled?: boolean;
};

export function Sparkline({ values, width, height, color, filled = true }: Props) {
  const id = useId();
  const path = sparklinePath(values, width, height);
  if (path === '') return null;
  return (
    <svg className="sparkline" width={width} height={height} aria-hidden="true">
      <defs>
        <linearGradient id={id} x1="0" y1="0" x2="0" y2="1">
          <stop offset="0" stopColor={color} stopOpacity="0.35" />
          <stop offset="1" stopColor={color} stopOpacity="0.03" />
        </linearGradient>
      </defs>
      {filled && (
        <path d={`${path} L${width},${height} L0,${height} Z`} fill={`url(#${id})`} stroke="none" />
      )}
      <path d={path} fill="none" stroke={color} strokeWidth="1.5" />
    </svg>
  );
}

/** The line through the values, gaps left out; empty for fewer than two. */
export function sparklinePath(
  values: readonly (number | null)[],
  width: number,
  height: number,
): string {
  const numbers = values.filter((v): v is number => v !== null);
  if (numbers.length < 2) return '';
  const low = numbers.reduce((a, b) => Math.min(a, b));
  const high = numbers.reduce((a, b) => Math.max(a, b));
  const y = (v: number) =>
    high === low ? height / 2 : height - 2 - ((v - low) / (high - low)) * (height - 4);
  const points = values.flatMap((v, at) =>
    v === null ? [] : [`${((at / (values.length - 1)) * width).toFixed(1)},${y(v).toFixed(1)}`],
  );
  return `M${points.join(' L')}`;
}
