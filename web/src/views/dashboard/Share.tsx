/** A link to what stands on the page: range and variables are in it. */

import { ActionIcon, Button, Checkbox, Popover, Stack, TextInput, Tooltip } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { IconShare } from '@tabler/icons-react';
import { useState } from 'react';
import { usePageTime } from '../../ui/time';

export function Share() {
  const { range, raw } = usePageTime();
  const [still, setStill] = useState(true);
  // A hint would lie over what is open.
  const [opened, setOpened] = useState(false);
  const { copy, copied } = useClipboard();
  const url = new URL(window.location.href);
  url.searchParams.set('from', still ? String(range.from) : raw.from);
  url.searchParams.set('to', still ? String(range.to) : raw.to);
  return (
    <Popover position="bottom-end" shadow="md" trapFocus returnFocus onChange={setOpened}>
      <Popover.Target>
        <Tooltip label="Share" disabled={opened}>
          <ActionIcon variant="subtle" color="gray" aria-label="Share" aria-haspopup="dialog">
            <IconShare size={17} />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown w={420} maw="calc(100vw - 16px)" aria-label="Share">
        <Stack gap="xs">
          <TextInput
            label="Link to this page"
            readOnly
            value={url.href}
            onFocus={(e) => e.currentTarget.select()}
            size="xs"
          />
          <Checkbox
            size="xs"
            label="The range stands still"
            checked={still}
            onChange={(e) => setStill(e.currentTarget.checked)}
          />
          <Button size="xs" onClick={() => copy(url.href)}>
            {copied ? 'Copied' : 'Copy'}
          </Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
