/** The frame of an operator's page: title, search, and what stands there while data is missing. */

import { Alert, Center, Group, Loader, Stack, Text, TextInput, Title } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import type { ComponentProps, ReactNode } from 'react';

type Props = {
  readonly title: string;
  readonly tools?: ReactNode;
  /** Whether there is an answer to show, if an old one; without it the page would tell untruths. */
  readonly known: boolean;
  readonly error: Error | null;
  readonly children: ReactNode;
};

export function Page({ title, tools, known, error, children }: Props) {
  useDocumentTitle(`${title} - Masthead`);
  return (
    <Stack gap="sm" maw={1500} mx="auto">
      <Group justify="space-between" gap="xs">
        <Title order={1} size="h3">
          {title}
        </Title>
        {tools}
      </Group>
      {error !== null && (
        <Alert color="red" title="The server did not answer this">
          {error.message}
        </Alert>
      )}
      {known && children}
      {!known && error === null && (
        <Center h={200}>
          <Loader size="sm" aria-label="Loading" />
        </Center>
      )}
    </Stack>
  );
}

type PartProps = Omit<ComponentProps<'section'>, 'title'> & {
  readonly title: string;
  /** What it is called where that is not its title. */
  readonly name?: string;
  /** What stands beside the title. */
  readonly note?: ReactNode;
};

/** A part of the page under a title of its own. */
export function Part({ title, name = title, note, children, ...rest }: PartProps) {
  return (
    <section aria-label={name} {...rest}>
      <Title order={2} size="h5" mb={4} style={{ overflowWrap: 'anywhere' }}>
        {title} {note}
      </Title>
      {children}
    </section>
  );
}

export function Search({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
}) {
  return (
    <TextInput
      aria-label={label}
      placeholder={label}
      value={value}
      onChange={(e) => onChange(e.currentTarget.value)}
      w={{ base: '100%', xs: 280 }}
      size="xs"
    />
  );
}

export function Nothing({ children }: { children: string }) {
  return (
    <Text className="faint" size="sm">
      {children}
    </Text>
  );
}
