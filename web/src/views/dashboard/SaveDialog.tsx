/** Keeping a dashboard on the server: the changed one, or a copy under another title. */

import { Alert, Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useLocation } from 'wouter';
import { saveDashboard } from '../../api/dashboards';
import { ApiError } from '../../api/http';
import { copyOf } from '../../dashboard/schema/edit';
import type { Json } from '../../lib/json';
import { text } from '../../lib/json';

type Props = {
  readonly file: Json;
  /** Whether a copy is wanted; else the dashboard itself is replaced. */
  readonly copy: boolean;
  readonly onSaved: () => void;
  readonly onClose: () => void;
};

export function SaveDialog({ file, copy, onSaved, onClose }: Props) {
  const client = useQueryClient();
  const [, go] = useLocation();
  const before = text(file, 'title') ?? 'Untitled';
  const [title, setTitle] = useState(copy ? `${before} (copy)` : before);
  const [error, setError] = useState<string | undefined>();
  const [busy, setBusy] = useState(false);
  // Somebody else has saved meanwhile: then one has to say that theirs may go.
  const [conflict, setConflict] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      const saved = await saveDashboard(copy ? copyOf(file, title) : { ...file, title }, conflict);
      await client.invalidateQueries({ queryKey: ['dashboards'] });
      await client.invalidateQueries({ queryKey: ['dashboard', saved.uid] });
      onSaved();
      go(saved.url + window.location.search);
    } catch (problem) {
      setConflict(problem instanceof ApiError && problem.status === 412);
      setError(problem instanceof Error ? problem.message : String(problem));
      setBusy(false);
    }
  };
  return (
    <Modal opened onClose={onClose} title={copy ? 'Save a copy' : 'Save the dashboard'}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          {error !== undefined && (
            <Alert color="red" p="xs" role="alert">
              {error}
            </Alert>
          )}
          <TextInput
            label="Title"
            value={title}
            onChange={(e) => setTitle(e.currentTarget.value)}
            required
            withAsterisk={false}
            data-autofocus
          />
          <Text size="xs" className="faint">
            It is kept on the server, beside the dashboards of its folders.
          </Text>
          <Group justify="end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={busy} {...(conflict ? { color: 'red' } : {})}>
              {conflict ? 'Replace theirs' : 'Save'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
