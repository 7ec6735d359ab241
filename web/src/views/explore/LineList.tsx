/** The lines that an expression finds, with what can be done about each of them. */

import { Button, Checkbox, Group, Loader, Menu, Text } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useState } from 'react';
import { findMetrics } from '../../dashboard/findRelated';
import { linesOfRequest } from '../../dashboard/related';
import { counted } from '../../lib/counted';
import { save } from '../../lib/save';
import { LogList } from '../../panels/logs/LogList';
import type { LogRow } from '../../panels/logs/prepare';
import { onDemand } from '../../ui/onDemand';
import { usePageTime } from '../../ui/time';
import { asJson, asText } from './download';
import type { PaneControl } from './Explore';
import { Refused } from './MetricsPane';
import { narrowed } from './narrow';
import { type Lines, useLines } from './useLines';

const Context = onDemand(() => import('./Context').then((m) => m.Context));

/** How much around a line its metrics are shown. */
const AROUND_MS = 15 * 60_000;

type Props = {
  readonly control: PaneControl;
  readonly expr: string;
  readonly onRun: (expr: string) => void;
};

export function LineList({ control, expr, onRun }: Props) {
  const { range, tick, zone } = usePageTime();
  const [wrap, setWrap] = useState(true);
  const [oldest, setOldest] = useState(false);
  const [labels, setLabels] = useState(false);
  const [around, setAround] = useState<LogRow | undefined>();
  const lines = useLines(expr, range, tick, oldest, true);
  const { rows } = lines;

  const openMetrics = async (row: LogRow) => {
    const near = { from: row.ms - AROUND_MS, to: row.ms + AROUND_MS };
    const found = await findMetrics(row.source?.stream ?? row.labels, near).catch(() => 'up');
    control.beside('metrics', found, near);
  };
  return (
    <>
      {lines.error !== undefined && <Refused letter={undefined} said={lines.error} />}
      <Group gap="md">
        <Text size="xs" className="faint" aria-live="polite">
          {status(lines)}
        </Text>
        <Box label="Wrap lines" checked={wrap} onChange={setWrap} />
        <Box label="Oldest first" checked={oldest} onChange={setOldest} />
        <Box label="Labels" checked={labels} onChange={setLabels} />
        <Menu shadow="md" position="bottom-end">
          <Menu.Target>
            <Button
              size="compact-xs"
              variant="default"
              disabled={rows.length === 0}
              leftSection={<IconDownload size={14} />}
            >
              Download
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => save('logs.txt', asText(rows), 'text/plain')}>
              These lines as text
            </Menu.Item>
            <Menu.Item onClick={() => save('logs.json', asJson(rows), 'application/json')}>
              These lines as JSON
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </Group>
      {rows.length > 0 && (
        <div className="explore-panel">
          <LogList
            rows={rows}
            zone={zone}
            height={Math.max(window.innerHeight - 420, 340)}
            wrap={wrap}
            showTime
            showLabels={labels}
            details
            onFilter={(detail, keep) => onRun(narrowed(expr, detail, keep))}
            onRequest={(row, id) => onRun(linesOfRequest(row.source?.stream ?? row.labels, id))}
            onEnd={lines.next}
            actions={(row) => (
              <>
                <Action label="Lines around it" onClick={() => setAround(row)} />
                <Action label="Metrics around it" onClick={() => void openMetrics(row)} />
                <Action
                  label="Copy"
                  onClick={() => void navigator.clipboard?.writeText(row.line)}
                />
              </>
            )}
          />
          {lines.loading && <Loader size={13} m={4} aria-label="Loading more lines" />}
        </div>
      )}
      {rows.length === 0 && !lines.loading && lines.error === undefined && (
        <Text className="faint">No lines in this range.</Text>
      )}
      {around !== undefined && <Context row={around} onClose={() => setAround(undefined)} />}
    </>
  );
}

function status({ rows, loading, more, full, tookMs }: Lines): string {
  if (rows.length === 0 && loading) return 'Asking…';
  const took = tookMs === undefined ? '' : `, ${Math.round(tookMs)} ms`;
  const rest = full ? ' (the most that is shown: narrow the range)' : more ? ', more below' : '';
  return `${counted(rows.length, 'line')}${rest}${took}`;
}

function Action({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <Button size="compact-xs" variant="default" onClick={onClick}>
      {label}
    </Button>
  );
}

type BoxProps = {
  readonly label: string;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
};

/** A choice about the list. */
export function Box({ label, checked, onChange }: BoxProps) {
  return (
    <Checkbox
      size="xs"
      label={label}
      checked={checked}
      onChange={(e) => onChange(e.currentTarget.checked)}
    />
  );
}
