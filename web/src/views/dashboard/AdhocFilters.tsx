/** The filters of an ad hoc variable: each a label, an operator, a value. */

import { ActionIcon, Button, Group, Popover, Select, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconFilterPlus, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Variable } from '../../dashboard/schema/model';
import {
  type Filter,
  NUMBER_OPERATORS,
  OPERATORS,
  readFilter,
  writeFilter,
} from '../../dashboard/variables/adhoc';
import { findChoices } from '../../dashboard/variables/query';
import { useUrl } from '../../lib/url-state';
import { usePageTime } from '../../ui/time';

type Props = {
  readonly variable: Variable;
  readonly set: (name: string, values: readonly string[]) => void;
};

export function AdhocFilters({ variable, set }: Props) {
  const [params] = useUrl();
  const filters = params
    .getAll(`var-${variable.name}`)
    .flatMap((written) => readFilter(written) ?? []);
  const keep = (next: readonly Filter[]) => set(variable.name, next.map(writeFilter));
  return (
    <Stack gap={2}>
      {variable.hide !== 'label' && (
        <Text size="xs" fw={500}>
          {variable.label}
        </Text>
      )}
      <Group gap={4}>
        {filters.map((filter, at) => (
          <Button
            key={writeFilter(filter)}
            size="compact-sm"
            variant="light"
            rightSection={<IconX size={13} />}
            aria-label={`Remove the filter ${filter.label} ${filter.op} ${filter.value}`}
            onClick={() => keep(filters.filter((_, i) => i !== at))}
          >
            <span className="mono">
              {filter.label} {filter.op} {filter.value}
            </span>
          </Button>
        ))}
        <AddFilter variable={variable} onAdd={(filter) => keep([...filters, filter])} />
      </Group>
    </Stack>
  );
}

type AddProps = { readonly variable: Variable; readonly onAdd: (filter: Filter) => void };

function AddFilter({ variable, onAdd }: AddProps) {
  const { range } = usePageTime();
  const [opened, { toggle, close }] = useDisclosure(false);
  const [label, setLabel] = useState<string | null>(null);
  const [op, setOp] = useState<string>('=');
  const [value, setValue] = useState('');
  const kind = variable.source.kind === 'loki' ? 'loki' : 'prometheus';
  const names = useQuery({
    queryKey: ['adhoc-names', kind, range.from, range.to],
    queryFn: ({ signal }) => findChoices({ ask: 'names' }, kind, range, { signal }),
    enabled: opened,
  });
  const values = useQuery({
    queryKey: ['adhoc-values', kind, label, range.from, range.to],
    queryFn: ({ signal }) =>
      findChoices({ ask: 'values', label: label ?? '' }, kind, range, { signal }),
    enabled: opened && label !== null,
  });
  return (
    <Popover opened={opened} onChange={toggle} position="bottom-start" shadow="md" trapFocus>
      <Popover.Target>
        <ActionIcon
          variant="default"
          aria-label={`Add a filter to ${variable.label}`}
          aria-haspopup="dialog"
          onClick={toggle}
        >
          <IconFilterPlus size={16} />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown aria-label="New filter">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (label === null) return;
            onAdd({ label, op, value });
            setLabel(null);
            setValue('');
            close();
          }}
        >
          <Stack gap="xs" w={260}>
            <Select
              label="Label"
              size="xs"
              searchable
              limit={300}
              data={[...(names.data ?? [])]}
              value={label}
              onChange={setLabel}
              comboboxProps={{ withinPortal: false }}
              data-autofocus
            />
            <Select
              label="Operator"
              size="xs"
              data={[...OPERATORS, ...(kind === 'loki' ? NUMBER_OPERATORS : [])]}
              value={op}
              allowDeselect={false}
              onChange={(next) => setOp(next ?? '=')}
              comboboxProps={{ withinPortal: false }}
            />
            <Select
              label="Value"
              size="xs"
              searchable
              limit={300}
              data={[...new Set([...(values.data ?? []), value])].filter((v) => v !== '')}
              value={value === '' ? null : value}
              onChange={(next) => setValue(next ?? '')}
              onSearchChange={(text) => {
                // An expression and a number are typed, not chosen.
                if (/[~<>]$/.test(op) && text !== '') setValue(text);
              }}
              comboboxProps={{ withinPortal: false }}
            />
            <Button type="submit" size="xs" disabled={label === null}>
              Add
            </Button>
          </Stack>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}
