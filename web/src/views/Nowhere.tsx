import { Anchor, Center, Stack, Text, Title } from '@mantine/core';
import { Link } from 'wouter';

export function Nowhere() {
  return (
    <Center h="60vh">
      <Stack align="center" gap="xs">
        <Title order={2}>There is no page here</Title>
        <Text className="faint">The address may be from another version, or mistyped.</Text>
        <Anchor component={Link} href="/dashboards">
          All dashboards
        </Anchor>
      </Stack>
    </Center>
  );
}
