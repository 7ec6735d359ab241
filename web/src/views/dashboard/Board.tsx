/** The grid of a dashboard: 24 columns on wide screens, one panel below the other on narrow ones. */

import { Text, UnstyledButton } from '@mantine/core';
import { useMediaQuery, useMergedRef, useResizeObserver } from '@mantine/hooks';
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { memo, useCallback, useMemo, useState } from 'react';
import { linesOf, type Placed, type PlacedRow, within } from '../../dashboard/layout/repeat';
import type { Dashboard } from '../../dashboard/schema/model';
import { interpolate } from '../../dashboard/variables/interpolate';
import type { Variables } from '../../dashboard/variables/useVariables';
import { counted } from '../../lib/counted';
import type { DashboardFile } from './FileMenu';
import { PanelFrame } from './PanelFrame';
import './board.css';

/** Pixels of a line of the grid and of the gap, as in Grafana, so that heights look the same. */
const LINE = 30;
const GAP = 8;

type Props = {
  readonly dashboard: Dashboard;
  readonly rows: readonly PlacedRow[];
  readonly alone: Placed | undefined;
  readonly variables: Variables;
  readonly file: DashboardFile;
};

/** Drawn anew only when the board itself changes, not whenever some panel begins to ask. */
export const Board = memo(function Board({ dashboard, rows, alone, variables, file }: Props) {
  const [resized, { width: observed }] = useResizeObserver();
  // The first width is measured at once, so that panels need not wait for the observer's turn.
  const [first, setFirst] = useState(0);
  const measure = useCallback((board: HTMLElement | null) => {
    if (board !== null) setFirst(board.clientWidth);
  }, []);
  const ref = useMergedRef<HTMLElement>(resized, measure);
  const width = observed === 0 ? first : observed;
  const narrow = useMediaQuery('(max-width: 48em)', window.innerWidth < 768);
  const crosshair = dashboard.sharedCrosshair ? `board-${dashboard.uid}` : undefined;
  return (
    <div ref={ref} className="board">
      {width === 0 ? null : alone !== undefined ? (
        <PanelFrame
          placed={alone}
          values={variables.values}
          width={width}
          height={Math.max(window.innerHeight - 170, 300)}
          crosshair={crosshair}
          dashboard={dashboard}
          file={file}
        />
      ) : (
        rows.map((row) => (
          <Row
            key={row.key}
            row={row}
            width={width}
            narrow={narrow === true}
            variables={variables}
            crosshair={crosshair}
            dashboard={dashboard}
            file={file}
          />
        ))
      )}
    </div>
  );
});

type RowProps = {
  readonly row: PlacedRow;
  readonly width: number;
  readonly narrow: boolean;
  readonly variables: Variables;
  readonly crosshair: string | undefined;
  readonly dashboard: Dashboard;
  readonly file: DashboardFile;
};

function Row({ row, width, narrow, variables, crosshair, dashboard, file }: RowProps) {
  const [open, setOpen] = useState(!row.collapsed);
  const values = useMemo(() => within(variables.values, row.fixed), [variables.values, row.fixed]);
  const column = (width - GAP * 23) / 24;
  const lines = linesOf(row.panels);
  const title = interpolate(row.title, { lookup: values });
  return (
    <section aria-label={title === '' ? undefined : title}>
      {row.panel !== undefined && (
        <UnstyledButton className="board-row" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? <IconChevronDown size={16} /> : <IconChevronRight size={16} />}
          <Text fw={500}>{title === '' ? 'Row' : title}</Text>
          {!open && (
            <Text size="xs" className="faint">
              ({counted(row.panels.length, 'panel')})
            </Text>
          )}
        </UnstyledButton>
      )}
      {open && (
        <div
          className="board-grid"
          style={narrow ? undefined : { position: 'relative', height: lines * (LINE + GAP) }}
        >
          {row.panels.map((placed) => {
            const { x, y, w, h } = placed.grid;
            const panelWidth = narrow ? width : w * column + (w - 1) * GAP;
            const panelHeight = h * LINE + (h - 1) * GAP;
            return (
              <div
                key={placed.key}
                style={
                  narrow
                    ? { marginBottom: GAP }
                    : { position: 'absolute', left: x * (column + GAP), top: y * (LINE + GAP) }
                }
              >
                <PanelFrame
                  placed={placed}
                  values={values}
                  width={panelWidth}
                  height={narrow ? Math.min(Math.max(panelHeight, 90), 420) : panelHeight}
                  crosshair={crosshair}
                  dashboard={dashboard}
                  file={file}
                />
              </div>
            );
          })}
        </div>
      )}
    </section>
  );
}
