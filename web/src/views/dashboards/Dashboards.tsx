/** All dashboards: searched as one types, opened by Enter. */

import {
  Alert,
  Badge,
  Card,
  Center,
  Group,
  Loader,
  SimpleGrid,
  Stack,
  Text,
  TextInput,
  Title,
} from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useDeferredValue, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { dashboardsQuery } from '../../api/dashboards';
import type { Hit } from '../../api/generated';
import { useSession } from '../../ui/session';
import { Upload } from './Upload';

export function Dashboards() {
  const [text, setText] = useState('');
  const [, go] = useLocation();
  const { mayChange } = useSession();
  const all = useQuery(dashboardsQuery);
  const wanted = useDeferredValue(text.trim().toLowerCase());
  const found = (words: string) => (all.data ?? []).filter((hit) => matches(hit, words));
  const hits = found(wanted);
  const folders = [...new Set(hits.map((hit) => hit.folderTitle ?? ''))].sort();
  return (
    <Stack gap="sm" maw={1500} mx="auto">
      <Group justify="space-between">
        <Title order={1} size="h3">
          Dashboards
        </Title>
        <Group gap="xs" flex={{ base: '1 1 100%', xs: '0 1 auto' }} wrap="nowrap">
          {mayChange && <Upload />}
          <TextInput
            aria-label="Search dashboards"
            placeholder="Search by title or tag"
            value={text}
            onChange={(e) => setText(e.currentTarget.value)}
            onKeyDown={(e) => {
              // What stands there now: the list may still be that of the words before.
              const [first] = found(e.currentTarget.value.trim().toLowerCase());
              if (e.key === 'Enter' && first !== undefined) go(first.url);
            }}
            flex={{ base: 1, xs: '0 0 280px' }}
            size="xs"
            autoFocus
          />
        </Group>
      </Group>
      {all.isPending && (
        <Center h={200}>
          <Loader size="sm" aria-label="Loading" />
        </Center>
      )}
      {all.error !== null && (
        <Alert color="red" title="The dashboards could not be listed">
          {all.error.message}
        </Alert>
      )}
      {all.data !== undefined && hits.length === 0 && (
        <Text className="faint">
          {wanted === ''
            ? 'There are no dashboards yet: start the server with --dashboards DIR.'
            : 'No dashboard matches.'}
        </Text>
      )}
      {folders.map((folder) => (
        <section key={folder} aria-label={folder === '' ? 'General' : folder}>
          {folders.length > 1 && (
            <Title order={2} size="h5" mb={6} className="faint">
              {folder === '' ? 'General' : folder}
            </Title>
          )}
          <SimpleGrid cols={{ base: 1, xs: 2, md: 3, xl: 4 }} spacing="sm">
            {hits
              .filter((hit) => (hit.folderTitle ?? '') === folder)
              .map((hit) => (
                <Card key={hit.uid} component={Link} href={hit.url} withBorder padding="sm">
                  <Text fw={500}>{hit.title}</Text>
                  <Group gap={4} mt={6}>
                    {hit.tags.map((tag) => (
                      <Badge key={tag} size="xs" variant="light" tt="none">
                        {tag}
                      </Badge>
                    ))}
                  </Group>
                </Card>
              ))}
          </SimpleGrid>
        </section>
      ))}
    </Stack>
  );
}

function matches(hit: Hit, wanted: string): boolean {
  return (
    wanted === '' ||
    hit.title.toLowerCase().includes(wanted) ||
    hit.tags.some((tag) => tag.toLowerCase().includes(wanted))
  );
}
