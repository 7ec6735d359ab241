/** The range of a page: quick ranges, any instants, the zone, refresh. */

import {
  ActionIcon,
  Button,
  Divider,
  Group,
  Popover,
  ScrollArea,
  Select,
  Stack,
  Text,
  TextInput,
  Tooltip,
} from '@mantine/core';
import { useDisclosure, useHotkeys } from '@mantine/hooks';
import {
  IconChevronLeft,
  IconChevronRight,
  IconClock,
  IconRefresh,
  IconZoomOut,
} from '@tabler/icons-react';
import { type FormEvent, useEffect, useState } from 'react';
import { instant } from '../dashboard/units/time';
import { parseInstant } from '../lib/time/relative';
import type { Zone } from '../lib/time/zone';
import { usePageTime } from './time';

export const QUICK = [
  ['now-5m', 'Last 5 minutes'],
  ['now-15m', 'Last 15 minutes'],
  ['now-30m', 'Last 30 minutes'],
  ['now-1h', 'Last 1 hour'],
  ['now-3h', 'Last 3 hours'],
  ['now-6h', 'Last 6 hours'],
  ['now-12h', 'Last 12 hours'],
  ['now-24h', 'Last 24 hours'],
  ['now-2d', 'Last 2 days'],
  ['now-7d', 'Last 7 days'],
  ['now-30d', 'Last 30 days'],
] as const;

const NAMED: readonly (readonly [from: string, to: string, label: string])[] = [
  ['now/d', 'now/d', 'Today'],
  ['now/d', 'now', 'Today so far'],
  ['now-1d/d', 'now-1d/d', 'Yesterday'],
  ['now/w', 'now/w', 'This week'],
  ['now-1w/w', 'now-1w/w', 'Previous week'],
  ['now/M', 'now/M', 'This month'],
];

const WORDS: Readonly<Record<string, string>> = {
  s: 'seconds',
  m: 'minutes',
  h: 'hours',
  d: 'days',
  w: 'weeks',
  M: 'months',
  y: 'years',
};

const ZONES = [
  {
    value: 'browser',
    label: `This browser's: ${Intl.DateTimeFormat().resolvedOptions().timeZone}`,
  },
  { value: 'utc', label: 'UTC' },
  ...Intl.supportedValuesOf('timeZone')
    .filter((name) => name !== 'UTC')
    .map((name) => ({ value: name, label: name })),
];

const REFRESH = ['', '5s', '10s', '30s', '1m', '5m', '15m', '1h'];

export function TimePicker() {
  const time = usePageTime();
  const [opened, { toggle, close }] = useDisclosure(false);
  const { from, to } = time.range;
  const width = to - from;
  const move = (by: number) =>
    time.setRange({ from: String(Math.round(from + by)), to: String(Math.round(to + by)) });
  const zoomOut = () =>
    time.setRange({
      from: String(Math.round(from - width / 2)),
      to: String(Math.round(to + width / 2)),
    });
  useHotkeys([
    ['t', toggle],
    ['mod+ArrowLeft', () => move(-width / 2)],
    ['mod+ArrowRight', () => move(width / 2)],
    ['mod+z', zoomOut],
    ['r', time.now],
  ]);
  return (
    <Group gap={2} wrap="nowrap">
      <Tool
        label="Earlier"
        onClick={() => move(-width / 2)}
        icon={<IconChevronLeft size={17} />}
        wide
      />
      <Popover
        opened={opened}
        onChange={toggle}
        position="bottom-end"
        shadow="md"
        trapFocus
        returnFocus
      >
        <Popover.Target>
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<IconClock size={15} />}
            onClick={toggle}
            aria-haspopup="dialog"
            aria-label={`Time range: ${label(time.raw, from, to, time.zone)}`}
          >
            <span className="cut" style={{ maxWidth: 'min(46vw, 330px)' }}>
              {label(time.raw, from, to, time.zone)}
            </span>
          </Button>
        </Popover.Target>
        <Popover.Dropdown p="sm" maw="calc(100vw - 16px)">
          <Choice close={close} />
        </Popover.Dropdown>
      </Popover>
      <Tool
        label="Later"
        onClick={() => move(width / 2)}
        icon={<IconChevronRight size={17} />}
        wide
      />
      <Tool label="Zoom out" onClick={zoomOut} icon={<IconZoomOut size={17} />} wide />
      <Tool label="Refresh" onClick={time.now} icon={<IconRefresh size={17} />} />
      <Select
        aria-label="Refresh every"
        size="xs"
        w={72}
        visibleFrom="xs"
        data={[...new Set([...REFRESH, time.refresh])].map((value) => ({
          value,
          label: value === '' ? 'Off' : value,
        }))}
        value={time.refresh}
        onChange={(value) => time.setRefresh(value ?? '')}
        allowDeselect={false}
        comboboxProps={{ width: 90 }}
      />
    </Group>
  );
}

function Tool({
  label: text,
  onClick,
  icon,
  wide,
}: {
  label: string;
  onClick: () => void;
  icon: React.ReactNode;
  wide?: boolean;
}) {
  return (
    <Tooltip label={text}>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={text}
        onClick={onClick}
        {...(wide === true ? { visibleFrom: 'sm' } : {})}
      >
        {icon}
      </ActionIcon>
    </Tooltip>
  );
}

function label(raw: { from: string; to: string }, from: number, to: number, zone: Zone): string {
  const quick = raw.to === 'now' ? QUICK.find(([value]) => value === raw.from)?.[1] : undefined;
  const named = NAMED.find(([a, b]) => a === raw.from && b === raw.to)?.[2];
  const write = (ms: number) => instant('iso', zone)(ms).text;
  if (quick !== undefined || named !== undefined) return quick ?? named ?? '';
  const last = raw.to === 'now' ? /^now-(\d+)([smhdwMy])$/.exec(raw.from) : null;
  if (last !== null) return `Last ${last[1]} ${WORDS[last[2] ?? ''] ?? ''}`;
  if (raw.from.startsWith('now') && raw.to.startsWith('now')) return `${raw.from} to ${raw.to}`;
  return `${write(from)} to ${write(to)}`;
}

function Choice({ close }: { close: () => void }) {
  const time = usePageTime();
  const [from, setFrom] = useState(time.raw.from);
  const [to, setTo] = useState(time.raw.to);
  useEffect(() => {
    setFrom(readable(time.raw.from, time.zone));
    setTo(readable(time.raw.to, time.zone));
  }, [time.raw.from, time.raw.to, time.zone]);
  const [start, end] = [
    parseInstant(from, Date.now(), time.zone),
    parseInstant(to, Date.now(), time.zone, true),
  ];
  const wrong = (at: number | undefined) =>
    at === undefined ? 'Such as now-6h or 2026-09-01 10:00' : undefined;
  const order =
    start !== undefined && end !== undefined && start >= end
      ? 'The start must come before the end'
      : undefined;
  const choose = (a: string, b: string) => {
    time.setRange({ from: a, to: b });
    close();
  };
  const apply = (event: FormEvent) => {
    event.preventDefault();
    if (start === undefined || end === undefined || order !== undefined) return;
    choose(from.startsWith('now') ? from : String(start), to.startsWith('now') ? to : String(end));
  };
  const day = (at: number | undefined) =>
    at === undefined ? '' : instant('iso', time.zone)(at).text.slice(0, 16).replace(' ', 'T');
  return (
    <Group align="start" gap="md" wrap="wrap">
      <form onSubmit={apply}>
        <Stack gap="xs" w={250}>
          <TextInput
            label="From"
            value={from}
            onChange={(e) => setFrom(e.currentTarget.value)}
            error={wrong(start)}
            data-autofocus
            size="xs"
          />
          <input
            type="datetime-local"
            aria-label="From, by calendar"
            value={day(start)}
            onChange={(e) => setFrom(e.currentTarget.value.replace('T', ' '))}
            className="calendar"
          />
          <TextInput
            label="To"
            value={to}
            onChange={(e) => setTo(e.currentTarget.value)}
            error={wrong(end) ?? order}
            size="xs"
          />
          <input
            type="datetime-local"
            aria-label="To, by calendar"
            value={day(end)}
            onChange={(e) => setTo(e.currentTarget.value.replace('T', ' '))}
            className="calendar"
          />
          <Button type="submit" size="xs">
            Apply
          </Button>
          <Divider />
          <Text size="xs" className="faint">
            Time zone
          </Text>
          <Select
            aria-label="Time zone"
            size="xs"
            searchable
            limit={100}
            data={ZONES}
            value={time.zone}
            onChange={(value) => value !== null && time.setZone(value)}
            allowDeselect={false}
            comboboxProps={{ withinPortal: false }}
          />
        </Stack>
      </form>
      <ScrollArea.Autosize mah={360}>
        <Stack gap={0}>
          {QUICK.map(([value, text]) => (
            <Button
              key={value}
              size="compact-sm"
              variant={time.raw.from === value && time.raw.to === 'now' ? 'light' : 'subtle'}
              justify="start"
              onClick={() => choose(value, 'now')}
            >
              {text}
            </Button>
          ))}
          {NAMED.map(([a, b, text]) => (
            <Button
              key={text}
              size="compact-sm"
              variant="subtle"
              justify="start"
              onClick={() => choose(a, b)}
            >
              {text}
            </Button>
          ))}
        </Stack>
      </ScrollArea.Autosize>
    </Group>
  );
}

function readable(raw: string, zone: Zone): string {
  return /^\d+$/.test(raw) ? instant('iso', zone)(Number(raw)).text : raw;
}
