/** What a panel asked, what came back, its data as a table to download. */

import { Button, Code, Drawer, Group, ScrollArea, Stack, Table, Tabs, Text } from '@mantine/core';
import { useMemo } from 'react';
import type { Panel } from '../../dashboard/schema/model';
import type { PanelFrames } from '../../dashboard/usePanelFrames';
import { csv } from '../../frame/csv';
import { displayName } from '../../frame/frame';
import { counted } from '../../lib/counted';
import { save } from '../../lib/save';

const ROWS_MAX = 200;
/** Characters of an answer that are shown; the whole is in the download. */
const TEXT_MAX = 100_000;

type Props = {
  readonly title: string;
  readonly data: PanelFrames;
  readonly panel: Panel;
  readonly onClose: () => void;
};

export function Inspect({ title, data, panel, onClose }: Props) {
  const response = useMemo(() => JSON.stringify(data.raw, null, 2), [data.raw]);
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size="xl"
      title={`Inspect: ${title === '' ? panel.type : title}`}
    >
      <Tabs defaultValue="query">
        <Tabs.List>
          <Tabs.Tab value="query">Query</Tabs.Tab>
          <Tabs.Tab value="data">Data</Tabs.Tab>
          <Tabs.Tab value="response">Response</Tabs.Tab>
          <Tabs.Tab value="json">Panel JSON</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="query" pt="sm">
          <Stack gap="sm">
            {data.requests.map((r, at) => (
              <div key={at}>
                <Text size="xs" className="faint">
                  {r.refId} · {r.kind} ·{' '}
                  {r.instant ? 'instant' : `range, step ${r.stepMs / 1_000} s`}
                </Text>
                <Code block className="wrapped">
                  {r.expr}
                </Code>
              </div>
            ))}
            <Text size="sm">
              {data.tookMs === undefined
                ? 'Not answered yet'
                : `Answered in ${data.tookMs.toFixed(0)} ms`}
              , {counted(data.frames.length, 'frame')},{' '}
              {counted(
                data.frames.reduce((sum, f) => sum + f.length, 0),
                'row',
              )}
            </Text>
            {data.error !== undefined && (
              <Code block className="wrapped">
                {data.error}
              </Code>
            )}
          </Stack>
        </Tabs.Panel>
        <Tabs.Panel value="data" pt="sm">
          <Group mb="xs">
            <Button
              size="xs"
              variant="default"
              onClick={() => save(`${title || 'panel'}.csv`, csv(data.frames), 'text/csv')}
            >
              Download CSV
            </Button>
          </Group>
          {data.frames.slice(0, 20).map((f, at) => (
            <ScrollArea.Autosize key={at} mah={400} mb="sm">
              <Table fz="xs" withTableBorder stickyHeader>
                <Table.Thead>
                  <Table.Tr>
                    {f.fields.map((x, i) => (
                      <Table.Th key={i}>{displayName(x, data.frames)}</Table.Th>
                    ))}
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {Array.from({ length: Math.min(f.length, ROWS_MAX) }, (_, row) => (
                    <Table.Tr key={row}>
                      {f.fields.map((x, i) => (
                        <Table.Td key={i} className="mono">
                          {cell(x.type, x.values[row])}
                        </Table.Td>
                      ))}
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            </ScrollArea.Autosize>
          ))}
        </Tabs.Panel>
        <Tabs.Panel value="response" pt="sm">
          <Button
            size="xs"
            variant="default"
            mb="xs"
            onClick={() => save(`${title || 'panel'}.json`, response, 'application/json')}
          >
            Download
          </Button>
          <Code block>
            {response.length > TEXT_MAX ? `${response.slice(0, TEXT_MAX)}\n…` : response}
          </Code>
        </Tabs.Panel>
        <Tabs.Panel value="json" pt="sm">
          <Code block>{JSON.stringify(panel, null, 2)}</Code>
        </Tabs.Panel>
      </Tabs>
    </Drawer>
  );
}

function cell(type: string, value: unknown): string {
  if (type === 'time' && typeof value === 'number') return new Date(value).toISOString();
  return typeof value === 'object' && value !== null
    ? JSON.stringify(value).slice(0, 500)
    : String(value ?? '').slice(0, 500);
}
