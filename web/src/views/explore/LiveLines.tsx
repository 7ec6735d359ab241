/** Lines as the server gets them, the newest at the end of the list. */

import { Alert, Badge, Button, Group, Text } from '@mantine/core';
import { useState } from 'react';
import { linesOfRequest } from '../../dashboard/related';
import { counted } from '../../lib/counted';
import { LogList } from '../../panels/logs/LogList';
import { usePageTime } from '../../ui/time';
import { Box } from './LineList';
import { Refused } from './MetricsPane';
import { narrowed } from './narrow';
import { TAIL_MAX, useTail } from './useTail';

const WORDS = {
  connecting: ['gray', 'connecting'],
  open: ['green', 'live'],
  waiting: ['yellow', 'connection lost, trying again'],
  refused: ['red', 'refused'],
} as const;

type Props = { readonly expr: string; readonly onRun: (expr: string) => void };

export function LiveLines({ expr, onRun }: Props) {
  const { zone } = usePageTime();
  const [paused, setPaused] = useState(false);
  const [wrap, setWrap] = useState(true);
  const tail = useTail(expr, true, paused);
  const [color, word] = paused ? (['blue', 'paused'] as const) : WORDS[tail.state];
  return (
    <>
      <Group gap="md">
        <Badge color={color} variant="light" tt="none">
          {word}
        </Badge>
        <Button size="compact-xs" variant="default" onClick={() => setPaused(!paused)}>
          {paused ? 'Resume' : 'Pause'}
        </Button>
        <Button size="compact-xs" variant="default" onClick={tail.clear}>
          Clear
        </Button>
        <Box label="Wrap lines" checked={wrap} onChange={setWrap} />
        <Text size="xs" className="faint">
          {counted(tail.rows.length, 'line')}
          {tail.rows.length >= TAIL_MAX ? ', the newest that are kept' : ''}
          {tail.waiting > 0 ? `, ${tail.waiting.toLocaleString('en')} wait` : ''}
        </Text>
      </Group>
      {tail.state === 'refused' && (
        <Refused letter={undefined} said={tail.why ?? 'The server cannot follow this.'} />
      )}
      {tail.missed > 0 && (
        <Alert color="yellow" p="xs">
          {counted(tail.missed, 'line')} came faster than they could be sent; a narrower expression
          gets all.
        </Alert>
      )}
      <div className="explore-panel">
        <LogList
          rows={tail.rows}
          zone={zone}
          height={Math.max(window.innerHeight - 270, 340)}
          wrap={wrap}
          showTime
          details
          follow={!paused}
          onFilter={(detail, keep) => onRun(narrowed(expr, detail, keep))}
          onRequest={(row, id) => onRun(linesOfRequest(row.source?.stream ?? row.labels, id))}
        />
      </div>
    </>
  );
}
