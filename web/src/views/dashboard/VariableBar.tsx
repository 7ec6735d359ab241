/** The variables of a dashboard, to choose from. */

import { Alert, Group, MultiSelect, Select, Switch, Text, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useState } from 'react';
import { useEvents } from '../../dashboard/annotations/useEvents';
import { ALL } from '../../dashboard/variables/choices';
import type { VariableState } from '../../dashboard/variables/resolve';
import type { Variables } from '../../dashboard/variables/useVariables';
import { AdhocFilters } from './AdhocFilters';

/** A list of more choices is searched, not scrolled. */
const SHOWN_MAX = 500;

export function VariableBar({ variables }: { variables: Variables }) {
  const shown = variables.states.filter(
    (s) => s.variable.hide !== 'all' && s.variable.kind !== 'constant',
  );
  const { switches, turn, errors } = useEvents();
  if (shown.length === 0 && switches.length === 0) return null;
  return (
    <Group gap="xs" align="end">
      {shown.map((state) =>
        state.variable.kind === 'adhoc' ? (
          <AdhocFilters key={state.variable.name} variable={state.variable} set={variables.set} />
        ) : (
          <Chooser
            key={state.variable.name}
            state={state}
            set={(values) => variables.set(state.variable.name, values)}
          />
        ),
      )}
      {switches.map(({ name, on }) => (
        <Switch
          key={name}
          size="xs"
          mb={6}
          label={name}
          checked={on}
          error={errors.get(name)}
          onChange={(e) => turn(name, e.currentTarget.checked)}
        />
      ))}
    </Group>
  );
}

/** Variables that found nothing to choose from: why the panels below may be empty. */
export function Unfilled({ variables }: { variables: Variables }) {
  const empty = variables.states.filter(
    ({ variable, choices, error }) =>
      variable.kind === 'query' && choices.length === 0 && error === undefined,
  );
  if (empty.length === 0) return null;
  return (
    <Alert color="gray" p="xs" title="The server has nothing for some variables in this range">
      {empty.map(({ variable }) => (
        <Text size="xs" key={variable.name} style={{ overflowWrap: 'anywhere' }}>
          {variable.label}: <span className="mono">{variable.query}</span> finds no value, so panels
          that need one stay empty.
        </Text>
      ))}
    </Alert>
  );
}

function Chooser({
  state,
  set,
}: {
  state: VariableState;
  set: (values: readonly string[]) => void;
}) {
  const { variable, choices, current, error } = state;
  const label = variable.hide === 'label' ? undefined : variable.label;
  const common = {
    label,
    'aria-label': variable.label,
    size: 'xs' as const,
    error: error === undefined ? undefined : error,
  };
  if (variable.kind === 'textbox')
    return <Box common={common} value={current[0] ?? ''} set={(value) => set([value])} />;
  const seen = new Set<string>();
  const data = [
    ...(variable.includeAll ? [{ value: ALL, label: 'All' }] : []),
    ...choices.map((c) => ({ value: c.value, label: c.text })),
    ...current.map((value) => ({ value, label: value })),
  ].filter(({ value }) => value !== '' && !seen.has(value) && seen.add(value));
  if (variable.multi) {
    return (
      <MultiSelect
        {...common}
        data={data}
        value={[...current]}
        searchable
        limit={SHOWN_MAX}
        maw={420}
        miw={150}
        onChange={(next) => {
          const added = next.find((value) => !current.includes(value));
          // All and some exclude each other; nothing chosen is all again.
          const values = added === ALL ? [ALL] : next.filter((value) => value !== ALL);
          set(values.length === 0 ? (variable.includeAll ? [ALL] : [...current]) : values);
        }}
      />
    );
  }
  return (
    <Select
      {...common}
      data={data}
      value={current[0] ?? null}
      searchable
      limit={SHOWN_MAX}
      allowDeselect={false}
      w={190}
      onChange={(value) => value !== null && set([value])}
    />
  );
}

function Box({
  common,
  value,
  set,
}: {
  common: object;
  value: string;
  set: (value: string) => void;
}) {
  const [text, setText] = useState(value);
  const later = useDebouncedCallback(set, 500);
  return (
    <TextInput
      {...common}
      value={text}
      w={190}
      onChange={(e) => {
        setText(e.currentTarget.value);
        later(e.currentTarget.value);
      }}
    />
  );
}
