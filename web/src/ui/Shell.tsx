/** The frame around every page: where one can go, and light or dark. */

import {
  ActionIcon,
  AppShell,
  Burger,
  Group,
  Menu,
  NavLink,
  Text,
  Tooltip,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import {
  IconActivity,
  IconBell,
  IconChartHistogram,
  IconHourglass,
  IconLayoutDashboard,
  IconListSearch,
  IconLogout,
  IconMoon,
  IconRadar2,
  IconSettings,
  IconSun,
  IconTarget,
  IconUser,
} from '@tabler/icons-react';
import { type ReactNode, useEffect, useMemo } from 'react';
import { Link, useLocation } from 'wouter';
import { useSession } from './session';
import { Shortcuts, useSequences } from './shortcuts';

const PLACES = [
  { href: '/dashboards', label: 'Dashboards', icon: IconLayoutDashboard, also: '/d/', key: 'd' },
  { href: '/explore/metrics', label: 'Explore metrics', icon: IconActivity, key: 'm' },
  { href: '/explore/logs', label: 'Explore logs', icon: IconListSearch, key: 'l' },
  { href: '/targets', label: 'Targets', icon: IconTarget, key: 't' },
  { href: '/discovery', label: 'Discovery', icon: IconRadar2, key: 'i' },
  { href: '/alerts', label: 'Rules and alerts', icon: IconBell, key: 'a' },
  { href: '/cardinality', label: 'Cardinality', icon: IconChartHistogram, key: 'c' },
  { href: '/queries', label: 'Queries', icon: IconHourglass, key: 'q' },
  { href: '/status', label: 'Status', icon: IconSettings, key: 's' },
] as const;

export function Shell({ children }: { children: ReactNode }) {
  const [opened, { toggle, close }] = useDisclosure(false);
  const [location, go] = useLocation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new place closes the menu.
  useEffect(close, [location]);
  const jumps = useMemo(
    () => Object.fromEntries(PLACES.map(({ key, href }) => [`g ${key}`, () => go(href)])),
    [go],
  );
  useSequences(jumps);
  return (
    <AppShell
      header={{ height: 44 }}
      navbar={{ width: 190, breakpoint: 'md', collapsed: { mobile: !opened } }}
      padding={{ base: 'xs', sm: 'sm' }}
    >
      <AppShell.Header px="sm">
        <Group h="100%" gap="xs" wrap="nowrap">
          <Burger opened={opened} onClick={toggle} hiddenFrom="md" size="sm" aria-label="Menu" />
          <img src="/favicon.svg" alt="" width={22} height={22} />
          <Text visibleFrom="xs" fw={600} component={Link} href="/dashboards" c="inherit" td="none">
            Masthead
          </Text>
          <Group gap={4} ml="auto" wrap="nowrap" id="page-tools" />
          <ColorScheme />
          <Account />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p={6} component="nav" aria-label="Pages">
        {PLACES.map(({ href, label, icon: Icon, ...more }) => (
          <NavLink
            key={href}
            component={Link}
            href={href}
            label={label}
            leftSection={<Icon size={17} stroke={1.6} />}
            active={location.startsWith(href) || ('also' in more && location.startsWith(more.also))}
          />
        ))}
      </AppShell.Navbar>
      <AppShell.Main>{children}</AppShell.Main>
      <Shortcuts />
    </AppShell>
  );
}

/** Who is logged in, and the way out; nothing on a server without users. */
function Account() {
  const session = useSession();
  if (session.user === undefined) return null;
  const role = session.role === 'admin' ? 'admin' : 'may view';
  return (
    <Menu position="bottom-end" shadow="md">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={`Account of ${session.user}`}>
          <IconUser size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {session.user} ({role})
        </Menu.Label>
        {session.session && (
          <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void session.leave()}>
            Log out
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

function ColorScheme() {
  const { setColorScheme } = useMantineColorScheme();
  const dark = useComputedColorScheme('light') === 'dark';
  const label = dark ? 'Light colours' : 'Dark colours';
  return (
    <Tooltip label={label}>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={label}
        onClick={() => setColorScheme(dark ? 'light' : 'dark')}
      >
        {dark ? <IconSun size={18} /> : <IconMoon size={18} />}
      </ActionIcon>
    </Tooltip>
  );
}
