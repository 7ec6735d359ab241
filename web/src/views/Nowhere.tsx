/** What stands at an address that is no page's. */

import { Anchor, Center, Stack, Text, Title } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { Link } from 'wouter';

export function Nowhere() {
  useDocumentTitle('No page - Masthead');
  return (
    <Center h="60vh">
      <Stack align="center" gap="xs">
        <Title order={1} size="h3">
          There is no page here
        </Title>
        <Text className="faint">The address may be from another version, or mistyped.</Text>
        <Anchor component={Link} href="/dashboards">
          All dashboards
        </Anchor>
      </Stack>
    </Center>
  );
}
