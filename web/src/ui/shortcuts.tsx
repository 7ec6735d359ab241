/** Keys that work on a page, and the list of them that `?` opens. */

import { Kbd, Modal, Table, Text } from '@mantine/core';
import { useDisclosure, useHotkeys } from '@mantine/hooks';
import { useEffect } from 'react';

export type Shortcut = { readonly keys: readonly string[]; readonly does: string };

/** In the order of the list; the groups are its headings. */
const GROUPS: readonly (readonly [string, readonly Shortcut[]])[] = [
  [
    'Everywhere',
    [
      { keys: ['?'], does: 'This list' },
      { keys: ['g', 'd'], does: 'Dashboards' },
      { keys: ['g', 'm'], does: 'Explore metrics' },
      { keys: ['g', 'l'], does: 'Explore logs' },
      { keys: ['g', 't'], does: 'Targets' },
      { keys: ['g', 'i'], does: 'Discovery' },
      { keys: ['g', 'a'], does: 'Rules and alerts' },
      { keys: ['g', 'c'], does: 'Cardinality' },
      { keys: ['g', 'q'], does: 'Queries' },
      { keys: ['g', 's'], does: 'Status' },
    ],
  ],
  [
    'Time',
    [
      { keys: ['t'], does: 'Choose the range' },
      { keys: ['r'], does: 'Refresh' },
      { keys: ['Ctrl', '←'], does: 'Earlier' },
      { keys: ['Ctrl', '→'], does: 'Later' },
      { keys: ['Ctrl', 'Z'], does: 'Zoom out' },
    ],
  ],
  [
    'The panel under the pointer',
    [
      { keys: ['v'], does: 'View it alone, or the whole dashboard again' },
      { keys: ['e'], does: 'Edit its queries' },
      { keys: ['i'], does: 'Inspect it' },
      { keys: ['x'], does: 'Explore its queries' },
      { keys: ['Esc'], does: 'Back to the dashboard' },
    ],
  ],
  [
    'Expressions',
    [
      { keys: ['Enter'], does: 'Run' },
      { keys: ['Shift', 'Enter'], does: 'Break the line' },
      { keys: ['Ctrl', 'Space'], does: 'Complete' },
    ],
  ],
];

const WITHIN_MS = 1_200;

/** Calls what belongs to two keys that are pressed one after the other, outside of any input. */
export function useSequences(sequences: Readonly<Record<string, () => void>>) {
  useEffect(() => {
    let first: { key: string; at: number } | undefined;
    const pressed = (event: KeyboardEvent) => {
      const { target } = event;
      const typing =
        target instanceof HTMLElement &&
        (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
      if (typing || event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1)
        return;
      const now = Date.now();
      const act =
        first !== undefined && now - first.at < WITHIN_MS
          ? sequences[`${first.key} ${event.key}`]
          : undefined;
      if (act === undefined) {
        first = { key: event.key, at: now };
        return;
      }
      first = undefined;
      // The second key must not be taken for a key of its own.
      event.preventDefault();
      event.stopImmediatePropagation();
      act();
    };
    document.documentElement.addEventListener('keydown', pressed, { capture: true });
    return () =>
      document.documentElement.removeEventListener('keydown', pressed, { capture: true });
  }, [sequences]);
}

export function Shortcuts() {
  const [opened, { toggle, close }] = useDisclosure(false);
  useHotkeys([['shift+?', toggle]]);
  return (
    <Modal opened={opened} onClose={close} title="Keyboard shortcuts" size="md">
      {GROUPS.map(([title, shortcuts]) => (
        <section key={title} aria-label={title}>
          <Text fw={600} size="sm" mt="sm" mb={4}>
            {title}
          </Text>
          <Table verticalSpacing={4} withRowBorders={false}>
            <Table.Tbody>
              {shortcuts.map(({ keys, does }) => (
                <Table.Tr key={does}>
                  <Table.Td w={150}>
                    {keys.map((key, at) => (
                      <span key={key}>
                        {at > 0 && ' '}
                        <Kbd size="xs">{key}</Kbd>
                      </span>
                    ))}
                  </Table.Td>
                  <Table.Td>{does}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </section>
      ))}
    </Modal>
  );
}
