/** What can be done with the file of a dashboard: looked at, saved, copied, deleted. */

import { ActionIcon, Alert, Button, Group, Menu, Modal, Text } from '@mantine/core';
import { IconFileCode } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { deleteDashboard } from '../../api/dashboards';
import { type Json, text } from '../../lib/json';
import { onDemand } from '../../ui/onDemand';
import { useSession } from '../../ui/session';

const JsonDialog = onDemand(() => import('./JsonDialog').then((m) => m.JsonDialog));
const SaveDialog = onDemand(() => import('./SaveDialog').then((m) => m.SaveDialog));

export type DashboardFile = {
  readonly json: Json;
  /** Whether it comes from a folder of the server, where it is not changed from here. */
  readonly provisioned: boolean;
  /** Whether the page shows something that is not saved. */
  readonly changed: boolean;
  readonly change: (json: Json | undefined) => void;
};

type Dialog = 'json' | 'save' | 'copy' | 'delete';

export function FileMenu({ uid, file }: { uid: string; file: DashboardFile }) {
  const { mayChange } = useSession();
  const [dialog, setDialog] = useState<Dialog | undefined>();
  return (
    <>
      <Menu position="bottom-end" shadow="md">
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label="File of the dashboard">
            <IconFileCode size={17} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {file.provisioned && <Menu.Label>From a folder of the server</Menu.Label>}
          <Menu.Item onClick={() => setDialog('json')}>JSON</Menu.Item>
          {mayChange && !file.provisioned && (
            <Menu.Item onClick={() => setDialog('save')}>Save</Menu.Item>
          )}
          {mayChange && <Menu.Item onClick={() => setDialog('copy')}>Save a copy</Menu.Item>}
          {mayChange && !file.provisioned && (
            <Menu.Item color="red" onClick={() => setDialog('delete')}>
              Delete
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      <Dialogs uid={uid} file={file} dialog={dialog} close={() => setDialog(undefined)} />
    </>
  );
}

/** Says that the page shows what is not saved, and how that ends. */
export function Unsaved({ file }: { file: DashboardFile }) {
  const { mayChange } = useSession();
  const [dialog, setDialog] = useState<Dialog | undefined>();
  return (
    <Alert color="blue" p="xs">
      <Group gap="xs">
        <Text size="sm">This dashboard was changed here and is not saved.</Text>
        {mayChange && !file.provisioned && (
          <Button size="compact-xs" onClick={() => setDialog('save')}>
            Save
          </Button>
        )}
        {mayChange && (
          <Button size="compact-xs" variant="default" onClick={() => setDialog('copy')}>
            Save a copy
          </Button>
        )}
        <Button size="compact-xs" variant="default" onClick={() => file.change(undefined)}>
          Discard
        </Button>
      </Group>
      <Dialogs uid="" file={file} dialog={dialog} close={() => setDialog(undefined)} />
    </Alert>
  );
}

type DialogProps = {
  readonly uid: string;
  readonly file: DashboardFile;
  readonly dialog: Dialog | undefined;
  readonly close: () => void;
};

function Dialogs({ uid, file, dialog, close }: DialogProps) {
  return (
    <>
      {dialog === 'json' && (
        <JsonDialog
          file={file.json}
          onApply={(json) => {
            close();
            file.change(json);
          }}
          onClose={close}
        />
      )}
      {(dialog === 'save' || dialog === 'copy') && (
        <SaveDialog
          file={file.json}
          copy={dialog === 'copy'}
          onSaved={() => file.change(undefined)}
          onClose={close}
        />
      )}
      {dialog === 'delete' && <DeleteDialog uid={uid} file={file} close={close} />}
    </>
  );
}

function DeleteDialog({ uid, file, close }: Omit<DialogProps, 'dialog'>) {
  const client = useQueryClient();
  const [, go] = useLocation();
  const [error, setError] = useState<string | undefined>();
  const remove = async () => {
    try {
      await deleteDashboard(uid);
      await client.invalidateQueries({ queryKey: ['dashboards'] });
      go('/dashboards');
    } catch (problem) {
      setError(problem instanceof Error ? problem.message : String(problem));
    }
  };
  return (
    <Modal opened onClose={close} title={`Delete ${text(file.json, 'title') ?? 'the dashboard'}?`}>
      {error !== undefined && (
        <Alert color="red" p="xs" mb="sm" role="alert">
          {error}
        </Alert>
      )}
      <Text size="sm">It is gone from the server, for everybody.</Text>
      <Group justify="end" gap="xs" mt="md">
        <Button variant="default" onClick={close} data-autofocus>
          Cancel
        </Button>
        <Button color="red" onClick={() => void remove()}>
          Delete
        </Button>
      </Group>
    </Modal>
  );
}
