/** Links to other dashboards. */

import { Anchor, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { searchDashboards } from '../../api/dashboards';
import { safeUrl } from '../../lib/link';
import type { PanelProps } from '../panel';
import { prepareHits } from './prepare';

export function DashList({ panel, height, interpolate }: PanelProps) {
  // Off search, a list of stars and visits has nothing to show, and shows all.
  const carried = [
    ...(panel.options.keepTime === true ? ['${__url_time_range}'] : []),
    ...(panel.options.includeVars === true ? ['${__all_variables}'] : []),
  ].join('&');
  const more = carried === '' ? '' : `?${interpolate(carried)}`;
  const all = useQuery({
    queryKey: ['dashboards'],
    queryFn: ({ signal }) => searchDashboards('', { signal }),
  });
  if (all.error !== null) return <Text size="sm">{all.error.message}</Text>;
  return (
    <Stack gap={4} style={{ height, overflow: 'auto' }}>
      {prepareHits(all.data ?? [], panel.options).map((hit) => (
        <Anchor key={hit.uid} component={Link} href={safeUrl(hit.url + more)} size="sm">
          {hit.title}
        </Anchor>
      ))}
    </Stack>
  );
}
