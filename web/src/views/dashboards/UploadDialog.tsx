/** A dashboard from a file of one's own: read here first, then kept by the server. */

import { Alert, Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useLocation } from 'wouter';
import { saveDashboard } from '../../api/dashboards';
import { ApiError } from '../../api/http';
import { fileOf } from '../../dashboard/schema/edit';
import type { Read } from '../../dashboard/schema/model';
import { readDashboard } from '../../dashboard/schema/read';
import { counted } from '../../lib/counted';

/** Larger files are no dashboards; the server has a limit of its own. */
const BYTES_MAX = 16 * 1_024 * 1_024;

type Chosen = { readonly file: unknown; readonly read: Read };

type Props = { readonly from: File; readonly onClose: () => void };

export function UploadDialog({ from, onClose }: Props) {
  const client = useQueryClient();
  const [, go] = useLocation();
  const [chosen, setChosen] = useState<Chosen | undefined>();
  const [error, setError] = useState<string | undefined>();
  const [conflict, setConflict] = useState(false);
  const [busy, setBusy] = useState(false);

  useEffect(() => {
    let wanted = true;
    void readFile(from).then((found) => wanted && setChosen(found));
    return () => {
      wanted = false;
    };
  }, [from]);
  const keep = async () => {
    setBusy(true);
    try {
      const saved = await saveDashboard(fileOf(chosen?.file), conflict);
      await client.invalidateQueries({ queryKey: ['dashboards'] });
      await client.invalidateQueries({ queryKey: ['dashboard', saved.uid] });
      go(saved.url);
    } catch (problem) {
      setConflict(problem instanceof ApiError && problem.status === 412);
      setError(problem instanceof Error ? problem.message : String(problem));
      setBusy(false);
    }
  };
  if (chosen === undefined) return null;
  return (
    <Modal opened onClose={onClose} title={`Upload ${from.name}`}>
      <Stack gap="sm">
        {chosen.read.ok ? (
          <>
            <Text size="sm">
              <b>{chosen.read.dashboard.title}</b>,{' '}
              {counted(chosen.read.dashboard.panels.length, 'row or panel', 'rows and panels')},
              schema {chosen.read.dashboard.schemaVersion}
            </Text>
            {chosen.read.unsupported.length > 0 && (
              <Alert color="yellow" p="xs" title="Parts of it are not supported">
                {chosen.read.unsupported.slice(0, 10).map((u) => (
                  <Text size="xs" key={`${u.where}${u.what}`}>
                    {u.where}: {u.what}
                  </Text>
                ))}
              </Alert>
            )}
          </>
        ) : (
          <Alert color="red" p="xs" role="alert">
            {chosen.read.error}
          </Alert>
        )}
        {error !== undefined && (
          <Alert color="red" p="xs" role="alert">
            {error}
          </Alert>
        )}
        <Group justify="end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button
            disabled={!chosen.read.ok}
            loading={busy}
            onClick={() => void keep()}
            {...(conflict ? { color: 'red' } : {})}
          >
            {conflict ? 'Replace the newer one' : 'Keep it'}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

async function readFile(from: File): Promise<Chosen> {
  const refused = (error: string): Chosen => ({ file: undefined, read: { ok: false, error } });
  if (from.size > BYTES_MAX) return refused(`the file has more than ${BYTES_MAX} bytes`);
  try {
    const file: unknown = JSON.parse(await from.text());
    return { file, read: readDashboard(file) };
  } catch (problem) {
    return refused(problem instanceof Error ? problem.message : String(problem));
  }
}
