/** Expressions to begin with, while there is none. */

import { Button, Group, Text } from '@mantine/core';

type Props = {
  readonly of: readonly string[];
  readonly onRun: (expr: string) => void;
};

export function Examples({ of, onRun }: Props) {
  return (
    <Group gap="xs">
      <Text size="sm" className="faint">
        For example:
      </Text>
      {of.map((example) => (
        <Button
          key={example}
          size="compact-sm"
          variant="light"
          onClick={() => onRun(example)}
          fw={400}
          h="auto"
          mih={26}
          styles={{ label: { whiteSpace: 'normal', overflow: 'visible' } }}
        >
          <span className="mono">{example}</span>
        </Button>
      ))}
    </Group>
  );
}
