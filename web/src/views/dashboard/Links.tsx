/** Links of a dashboard to others and elsewhere, with the range and the variables when asked. */

import { Anchor, Group } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { searchDashboards } from '../../api/dashboards';
import type { DashboardLink } from '../../dashboard/schema/model';
import { interpolate } from '../../dashboard/variables/interpolate';
import type { Variables } from '../../dashboard/variables/useVariables';
import { safeUrl } from '../../lib/link';
import { useUrl } from '../../lib/url-state';
import { usePageTime } from '../../ui/time';

export function Links({
  links,
  variables,
}: {
  links: readonly DashboardLink[];
  variables: Variables;
}) {
  const { raw } = usePageTime();
  const [asked] = useUrl();
  const tagged = links.some((l) => l.kind === 'dashboards');
  const all = useQuery({
    queryKey: ['dashboards'],
    queryFn: ({ signal }) => searchDashboards('', { signal }),
    enabled: tagged,
  });
  const carried = (link: DashboardLink) => {
    const params = new URLSearchParams(link.keepTime ? { from: raw.from, to: raw.to } : {});
    if (link.includeVars && !variables.ready)
      // Until their choices are known, what the address says is all there is to say.
      for (const [name, value] of asked) if (name.startsWith('var-')) params.append(name, value);
    if (link.includeVars)
      for (const { variable, current } of variables.states)
        for (const value of current) params.append(`var-${variable.name}`, value);
    return params.size === 0 ? '' : `?${params}`;
  };
  const shown = links.flatMap((link) => {
    if (link.kind === 'link') {
      const url = interpolate(link.url, { lookup: variables.values });
      const extra = carried(link);
      return [
        {
          title: link.title || url,
          url: safeUrl(url + (url.includes('?') ? extra.replace('?', '&') : extra)),
          newTab: link.newTab,
        },
      ];
    }
    const hits = (all.data ?? []).filter((hit) => link.tags.every((tag) => hit.tags.includes(tag)));
    return hits.map((hit) => ({
      title: hit.title,
      url: hit.url + carried(link),
      newTab: link.newTab,
    }));
  });
  if (shown.length === 0) return null;
  return (
    <Group gap="sm" ml="auto">
      {shown.map((link) =>
        link.url.startsWith('/') && !link.newTab ? (
          <Anchor key={link.title + link.url} component={Link} href={link.url} size="sm">
            {link.title}
          </Anchor>
        ) : (
          <Anchor
            key={link.title + link.url}
            href={link.url}
            size="sm"
            {...(link.newTab ? { target: '_blank', rel: 'noreferrer' } : {})}
          >
            {link.title}
          </Anchor>
        ),
      )}
    </Group>
  );
}
