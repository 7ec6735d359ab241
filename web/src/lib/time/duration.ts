/**
 * Spans of time as Grafana and Prometheus write them: `5m`, `1h30m`, `500ms`.
 *
 * All lengths are milliseconds. Calendar units have fixed lengths here (a month is 30 days, a year
 * 365), as in Grafana's interval maths; moving by calendar months is in `relative.ts`.
 */

const UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ['y', 365 * 86_400_000],
  ['M', 30 * 86_400_000],
  ['w', 7 * 86_400_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
];

const LENGTHS = new Map(UNITS);

/** Reads `1h30m`; a bare number counts seconds. Nothing for anything else. */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return Number(trimmed) * 1_000;
  const parts = [...trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|[yMwdhms])/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join('') !== trimmed) return undefined;
  return parts.reduce(
    (sum, [, count, unit]) => sum + Number(count) * (LENGTHS.get(unit ?? '') ?? 0),
    0,
  );
}

/** The shortest exact form with units down to milliseconds: `1h30m`, `0s`. */
export function formatDuration(ms: number): string {
  let rest = Math.round(ms);
  if (rest === 0) return '0s';
  let text = rest < 0 ? '-' : '';
  rest = Math.abs(rest);
  for (const [unit, length] of UNITS) {
    if (unit === 'M' || unit === 'y') continue;
    const count = Math.floor(rest / length);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * length;
  }
  return text;
}

/** Steps that read well on an axis and in a query, as Grafana rounds intervals. */
const ROUND_STEPS: readonly (readonly [below: number, step: number])[] = [
  [10, 1],
  [15, 10],
  [35, 20],
  [75, 50],
  [150, 100],
  [350, 200],
  [750, 500],
  [1_500, 1_000],
  [3_500, 2_000],
  [7_500, 5_000],
  [12_500, 10_000],
  [17_500, 15_000],
  [25_000, 20_000],
  [45_000, 30_000],
  [90_000, 60_000],
  [210_000, 120_000],
  [450_000, 300_000],
  [750_000, 600_000],
  [1_050_000, 900_000],
  [1_500_000, 1_200_000],
  [2_700_000, 1_800_000],
  [5_400_000, 3_600_000],
  [9_000_000, 7_200_000],
  [16_200_000, 10_800_000],
  [32_400_000, 21_600_000],
  [86_400_000, 43_200_000],
  [604_800_000, 86_400_000],
  [1_814_400_000, 604_800_000],
  [3_628_800_000, 2_592_000_000],
];

/** The nearest round step for a raw interval (Grafana's `roundInterval`). */
export function roundInterval(ms: number): number {
  return ROUND_STEPS.find(([below]) => ms < below)?.[1] ?? 31_536_000_000;
}
