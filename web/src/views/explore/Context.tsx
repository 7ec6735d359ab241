/** A line among its neighbours: what its own stream said before and after it. */

import { Button, Group, Loader, Modal, Text } from '@mantine/core';
import { useEffect, useMemo, useState } from 'react';
import { type LogLine, queryLines } from '../../api/loki';
import { formatLabels } from '../../frame/frame';
import { LogList } from '../../panels/logs/LogList';
import { type LogRow, rowOf } from '../../panels/logs/prepare';
import { LabelList } from '../../ui/LabelList';
import { usePageTime } from '../../ui/time';
import { neighbours } from './neighbours';

const STEP = 30;
/** Neighbours are looked for this far away. */
const FAR_NS = 24n * 3_600n * 1_000_000_000n;

type Way = 'before' | 'after';

export function Context({ row, onClose }: { row: LogRow; onClose: () => void }) {
  const { zone } = usePageTime();
  const [limits, setLimits] = useState({ before: STEP, after: STEP });
  const [found, setFound] = useState<Record<Way, readonly LogLine[]>>({ before: [], after: [] });
  const [loading, setLoading] = useState(true);
  const [error, setError] = useState<string | undefined>();
  const { source } = row;

  useEffect(() => {
    if (source === undefined) return;
    const abort = new AbortController();
    const at = BigInt(source.ns);
    const expr = formatLabels(source.stream);
    setLoading(true);
    Promise.all([
      queryLines(
        {
          expr,
          start: String(at - FAR_NS),
          end: String(at),
          limit: limits.before,
          direction: 'backward',
        },
        abort,
      ),
      queryLines(
        {
          expr,
          start: source.ns,
          end: String(at + FAR_NS),
          // The line itself is among these.
          limit: limits.after + 1,
          direction: 'forward',
        },
        abort,
      ),
    ])
      .then(([before, after]) => {
        setFound({ before, after });
        setLoading(false);
      })
      .catch((problem: unknown) => {
        if (abort.signal.aborted) return;
        setLoading(false);
        setError(problem instanceof Error ? problem.message : String(problem));
      });
    return () => abort.abort();
  }, [source, limits]);

  const { lines, at } = useMemo(
    () =>
      source === undefined ? { lines: [], at: -1 } : neighbours(source, found.before, found.after),
    [source, found],
  );
  const rows = useMemo(
    () => lines.map((line) => rowOf(line, `${line.ns} ${line.line.slice(0, 80)}`)),
    [lines],
  );
  const marked = useMemo(() => unique(rows), [rows]);
  const more = (way: Way) => (
    <Button
      size="compact-xs"
      variant="default"
      onClick={() => setLimits({ ...limits, [way]: limits[way] + STEP })}
    >
      {STEP} more {way}
    </Button>
  );
  return (
    <Modal opened onClose={onClose} size="90%" title="Lines around it, of the same stream">
      {source !== undefined && <LabelList labels={source.stream} />}
      <Group gap="xs" my="xs">
        {more('before')}
        {more('after')}
        {loading && <Loader size={13} aria-label="Loading" />}
        {error !== undefined && <Text className="bad">{error}</Text>}
      </Group>
      <LogList
        rows={marked}
        zone={zone}
        height={Math.max(window.innerHeight - 280, 300)}
        wrap
        showTime
        details
        marked={marked[at]?.key}
      />
    </Modal>
  );
}

/** Equal lines of one instant get keys of their own. */
function unique(rows: readonly LogRow[]): readonly LogRow[] {
  const seen = new Map<string, number>();
  return rows.map((row) => {
    const count = seen.get(row.key) ?? 0;
    seen.set(row.key, count + 1);
    return count === 0 ? row : { ...row, key: `${row.key} ${count}` };
  });
}
