/**
 * The menu of a panel, of which a board has dozens and a person opens few: until it is first opened
 * there is only its button, so that the board is drawn sooner.
 */

import { ActionIcon, Menu } from '@mantine/core';
import { IconDotsVertical } from '@tabler/icons-react';
import { type ComponentProps, type ReactNode, type RefObject, useState } from 'react';

type Props = {
  readonly label: string;
  /** Where the focus belongs when the menu, or what it opened, is closed. */
  readonly button: RefObject<HTMLButtonElement | null>;
  readonly children: ReactNode;
};

export function PanelMenu({ label, button, children }: Props) {
  const [state, setState] = useState<'never' | 'open' | 'closed'>('never');
  if (state === 'never')
    return (
      <Button
        ref={button}
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={false}
        onClick={() => setState('open')}
      />
    );
  return (
    <Menu
      position="bottom-end"
      withinPortal
      shadow="md"
      opened={state === 'open'}
      onChange={(open) => setState(open ? 'open' : 'closed')}
      // The button that had the focus when it was opened may be the one that is gone.
      returnFocus={false}
      onClose={() => button.current?.focus()}
    >
      <Menu.Target>
        <Button ref={button} aria-label={label} />
      </Menu.Target>
      <Menu.Dropdown>{children}</Menu.Dropdown>
    </Menu>
  );
}

function Button(props: ComponentProps<typeof ActionIcon<'button'>>) {
  return (
    <ActionIcon variant="subtle" color="gray" size="sm" {...props}>
      <IconDotsVertical size={15} />
    </ActionIcon>
  );
}
