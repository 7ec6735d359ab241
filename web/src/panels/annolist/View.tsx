/** The list of annotations that people wrote: this server keeps none, and the panel says so. */

import { Center, Text } from '@mantine/core';

export function AnnoList() {
  return (
    <Center h="100%" p="sm">
      <Text size="sm" ta="center" className="faint">
        No annotations: the server stores none of its own.
      </Text>
    </Center>
  );
}
