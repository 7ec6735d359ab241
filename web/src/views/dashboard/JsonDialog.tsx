/** A dashboard as its file: to read, to take away, to change by hand. */

import { Alert, Button, Group, Modal, Stack, Textarea } from '@mantine/core';
import { useState } from 'react';
import { readDashboard } from '../../dashboard/schema/read';
import { isObject, type Json, text } from '../../lib/json';
import { save } from '../../lib/save';

type Props = {
  readonly file: Json;
  readonly onApply: (file: Json) => void;
  readonly onClose: () => void;
};

export function JsonDialog({ file, onApply, onClose }: Props) {
  const [written, setWritten] = useState(() => JSON.stringify(file, null, 2));
  const [error, setError] = useState<string | undefined>();
  const apply = () => {
    try {
      const parsed: unknown = JSON.parse(written);
      const read = readDashboard(parsed);
      if (!read.ok) return setError(read.error);
      if (isObject(parsed)) onApply(parsed);
    } catch (problem) {
      setError(problem instanceof Error ? problem.message : String(problem));
    }
  };
  return (
    <Modal opened onClose={onClose} size="80%" title="The dashboard as JSON">
      <Stack gap="sm">
        {error !== undefined && (
          <Alert color="red" p="xs" role="alert">
            {error}
          </Alert>
        )}
        <Textarea
          aria-label="The dashboard as JSON"
          value={written}
          onChange={(e) => setWritten(e.currentTarget.value)}
          rows={26}
          spellCheck={false}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 12 } }}
        />
        <Group justify="end" gap="xs">
          <Button
            variant="default"
            onClick={() =>
              save(`${text(file, 'title') ?? 'dashboard'}.json`, written, 'application/json')
            }
          >
            Download
          </Button>
          <Button onClick={apply}>Apply to this page</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
