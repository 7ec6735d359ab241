/** The head of a pane: of metrics or of logs, what was asked before, one pane or two. */

import { ActionIcon, Button, Group, Popover, SegmentedControl, Text, Tooltip } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconColumns2, IconHistory, IconTrash, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { type Past, readHistory, writeHistory } from '../../lib/history';
import type { PaneControl } from './Explore';
import type { Kind } from './panes';

export function PaneHead({ control }: { control: PaneControl }) {
  const { pane, change, split, close } = control;
  return (
    <Group gap="xs">
      <SegmentedControl
        size="xs"
        aria-label="Kind of data"
        value={pane.kind}
        onChange={(kind) => change({ kind: kind as Kind, exprs: [''], show: '' })}
        data={[
          { value: 'metrics', label: 'Metrics' },
          { value: 'logs', label: 'Logs' },
        ]}
      />
      <History kind={pane.kind} onPick={(expr) => change({ exprs: [expr] })} />
      <Group gap={2} ml="auto">
        {split !== undefined && (
          <Button
            size="compact-xs"
            variant="default"
            leftSection={<IconColumns2 size={14} />}
            onClick={split}
          >
            Split
          </Button>
        )}
        {close !== undefined && (
          <Tooltip label="Close this pane">
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={`Close the ${control.second ? 'second' : 'first'} pane`}
              onClick={close}
            >
              <IconX size={16} />
            </ActionIcon>
          </Tooltip>
        )}
      </Group>
    </Group>
  );
}

function History({ kind, onPick }: { kind: Kind; onPick: (expr: string) => void }) {
  const [opened, { toggle, close }] = useDisclosure(false);
  const [past, setPast] = useState<readonly Past[]>([]);
  const keep = (next: readonly Past[]) => {
    setPast(next);
    writeHistory(kind, next, localStorage);
  };
  return (
    <Popover
      opened={opened}
      onChange={toggle}
      position="bottom-start"
      shadow="md"
      trapFocus
      returnFocus
    >
      <Popover.Target>
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<IconHistory size={14} />}
          aria-haspopup="dialog"
          onClick={() => {
            setPast(readHistory(kind, localStorage));
            toggle();
          }}
        >
          History
        </Button>
      </Popover.Target>
      <Popover.Dropdown p="xs" w={560} maw="calc(100vw - 16px)" aria-label="Expressions run before">
        {past.length === 0 ? (
          <Text size="sm" className="faint">
            What you run is kept here, in this browser alone.
          </Text>
        ) : (
          <>
            <div style={{ maxHeight: 320, overflow: 'auto' }}>
              {past.map(({ expr, at }) => (
                <Group key={expr} gap={4} wrap="nowrap">
                  <button
                    type="button"
                    className="browser-item mono"
                    title={new Date(at).toLocaleString('sv-SE')}
                    onClick={() => {
                      onPick(expr);
                      close();
                    }}
                  >
                    {expr}
                  </button>
                  <ActionIcon
                    size="sm"
                    variant="subtle"
                    color="gray"
                    aria-label={`Forget ${expr}`}
                    onClick={() => keep(past.filter((p) => p.expr !== expr))}
                  >
                    <IconTrash size={14} />
                  </ActionIcon>
                </Group>
              ))}
            </div>
            <Button size="compact-xs" variant="subtle" mt={6} onClick={() => keep([])}>
              Forget all
            </Button>
          </>
        )}
      </Popover.Dropdown>
    </Popover>
  );
}
