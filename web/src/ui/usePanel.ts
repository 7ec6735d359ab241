/** A panel outside of any dashboard: Explore draws its answers with the same views. */

import { useMemo } from 'react';
import type { Environment } from '../dashboard/run';
import type { Panel } from '../dashboard/schema/model';
import { readPanel } from '../dashboard/schema/panel';
import type { Json } from '../lib/json';
import { usePageTime } from './time';

const NONE = { report: () => {}, sources: { inputs: new Map(), variables: new Map() } };

/** The panel that a dashboard file would describe with this. */
export function panelOf(json: Json): Panel {
  const panel = readPanel(json, NONE);
  if (panel === undefined) throw new Error('BUG: not a panel');
  return panel;
}

/** What queries of such a panel need to know: there are no variables. */
export function useEnvironment(width: number): Environment {
  const { range, zone } = usePageTime();
  const points = Math.max(Math.round(width / 50) * 50, 100);
  return useMemo(
    () => ({ range, zone, points, values: () => undefined, scrapeMs: 15_000 }),
    [range, zone, points],
  );
}
