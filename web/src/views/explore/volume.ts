/** Panels of LogQL's metrics: any expression as lines, or lines by level as bars. */

import type { Panel } from '../../dashboard/schema/model';
import { panelOf } from '../../ui/usePanel';

const level = (pattern: string, color: string) => ({
  matcher: { id: 'byRegexp', options: pattern },
  properties: [{ id: 'color', value: { mode: 'fixed', fixedColor: color } }],
});

/** Bars have the colours of the list below them. */
const LEVELS = [
  level('/^(critical|fatal)$/', 'purple'),
  level('/^error$/', 'red'),
  level('/^warn/', 'orange'),
  level('/^info$/', 'green'),
  level('/^debug$/', 'blue'),
  level('/^trace$/', '#6ED0E0'),
  level('/^unknown$/', 'gray'),
];

export function volumePanel(expr: string): Panel {
  return panelOf({
    id: 2,
    type: 'timeseries',
    title: 'Lines by level',
    datasource: { type: 'loki', uid: 'loki' },
    maxDataPoints: 100,
    targets: [{ refId: 'A', expr, queryType: 'range', legendFormat: '{{detected_level}}' }],
    fieldConfig: {
      defaults: {
        color: { mode: 'palette-classic' },
        custom: { drawStyle: 'bars', fillOpacity: 80, stacking: { mode: 'normal' } },
      },
      overrides: LEVELS,
    },
    options: { legend: { displayMode: 'list', calcs: ['sum'] } },
  });
}

export function metricPanel(expr: string): Panel {
  return panelOf({
    id: 1,
    type: 'timeseries',
    title: 'Answer',
    datasource: { type: 'loki', uid: 'loki' },
    targets: [{ refId: 'A', expr, queryType: 'range' }],
    fieldConfig: {
      defaults: { color: { mode: 'palette-classic' }, custom: { showPoints: 'auto' } },
    },
    options: { legend: { displayMode: 'table', calcs: ['min', 'max', 'lastNotNull'] } },
  });
}
