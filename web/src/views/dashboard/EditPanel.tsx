/** The queries of a panel, changed; the page shows the change at once, and nothing is saved by it. */

import {
  Alert,
  Button,
  Drawer,
  Group,
  Stack,
  Tabs,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core';
import { useState } from 'react';
import { withTarget } from '../../dashboard/schema/edit';
import { isObject, type Json, objects, text } from '../../lib/json';
import { onDemand } from '../../ui/onDemand';
import { usePageTime } from '../../ui/time';

const QueryEditor = onDemand(
  () => import('../../ui/editor/QueryEditor').then((m) => m.QueryEditor),
  <div className="query-editor" style={{ height: 36 }} />,
);

type Props = {
  readonly panel: Json;
  /** What variables and defaults make of the panel's source. */
  readonly kindOf: (at: number) => string | undefined;
  readonly onApply: (panel: Json) => void;
  readonly onClose: () => void;
};

export function EditPanel({ panel, kindOf, onApply, onClose }: Props) {
  const { range } = usePageTime();
  const [draft, setDraft] = useState(panel);
  const [written, setWritten] = useState(() => JSON.stringify(panel, null, 2));
  const [error, setError] = useState<string | undefined>();
  const change = (next: Json) => {
    setDraft(next);
    setWritten(JSON.stringify(next, null, 2));
  };
  const apply = () => {
    try {
      const parsed: unknown = JSON.parse(written);
      if (isObject(parsed)) onApply({ ...parsed, id: panel.id });
    } catch (problem) {
      setError(problem instanceof Error ? problem.message : String(problem));
    }
  };
  const targets = objects(draft, 'targets');
  return (
    <Drawer opened onClose={onClose} position="right" size="xl" title="Edit the panel">
      <Tabs defaultValue="queries">
        <Tabs.List>
          <Tabs.Tab value="queries">Queries</Tabs.Tab>
          <Tabs.Tab value="json">JSON</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="queries" pt="sm">
          <Stack gap="md">
            <TextInput
              label="Title"
              size="xs"
              value={text(draft, 'title') ?? ''}
              onChange={(e) => change({ ...draft, title: e.currentTarget.value })}
            />
            {targets.length === 0 && (
              <Text size="sm" className="faint">
                This panel has no queries.
              </Text>
            )}
            {targets.map((target, at) => {
              const kind = kindOf(at) ?? 'prometheus';
              const letter = text(target, 'refId') ?? String(at + 1);
              return (
                <Stack key={letter} gap={6}>
                  <Text size="xs" className="faint">
                    {letter} · {kind}
                  </Text>
                  <QueryEditor
                    language={kind === 'loki' ? 'logql' : 'promql'}
                    value={text(target, 'expr') ?? ''}
                    label={`Expression ${letter}`}
                    hint="Expression"
                    onRun={(expr) => onApply(withTarget(draft, at, { expr }))}
                    onChange={(expr) => change(withTarget(draft, at, { expr }))}
                    range={range}
                  />
                  <TextInput
                    size="xs"
                    label="Legend"
                    placeholder="{{label}}"
                    value={text(target, 'legendFormat') ?? ''}
                    onChange={(e) =>
                      change(withTarget(draft, at, { legendFormat: e.currentTarget.value }))
                    }
                  />
                </Stack>
              );
            })}
          </Stack>
        </Tabs.Panel>
        <Tabs.Panel value="json" pt="sm">
          <Textarea
            aria-label="The panel as JSON"
            value={written}
            onChange={(e) => setWritten(e.currentTarget.value)}
            rows={24}
            spellCheck={false}
            styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 12 } }}
          />
        </Tabs.Panel>
      </Tabs>
      {error !== undefined && (
        <Alert color="red" p="xs" mt="sm" role="alert">
          {error}
        </Alert>
      )}
      <Group justify="end" gap="xs" mt="md">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button onClick={apply}>Apply</Button>
      </Group>
    </Drawer>
  );
}
