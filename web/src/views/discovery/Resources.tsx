/** Custom resources of a cluster: what was taken, what is scraped of it, and why the rest is not. */

import { Anchor, Badge } from '@mantine/core';
import type { Resource, ResourceState } from '../../api/generated';
import { Nothing, Part } from '../../ui/Page';

const SHOWN: Readonly<Record<ResourceState, { readonly color: string; readonly means: string }>> = {
  rejected: { color: 'red', means: 'It is not taken.' },
  empty: { color: 'yellow', means: 'A job of it scrapes nothing.' },
  scraped: { color: 'green', means: 'Every job of it scrapes something.' },
  taken: { color: 'gray', means: 'It is taken; there is nothing to scrape in its kind.' },
};

export function Resources({ of }: { of: readonly Resource[] }) {
  return (
    <Part title="Custom resources">
      {of.length === 0 ? (
        <Nothing>No custom resource matches.</Nothing>
      ) : (
        <div className="sheet" data-wide data-stack>
          <table>
            <thead>
              <tr>
                <th scope="col" style={{ width: 110 }}>
                  State
                </th>
                <th scope="col">Resource</th>
                <th scope="col" style={{ width: '60%' }}>
                  Jobs
                </th>
              </tr>
            </thead>
            <tbody>
              {of.map((one) => (
                <Row key={`${one.kind} ${one.namespace}/${one.name}`} resource={one} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Part>
  );
}

function Row({ resource }: { resource: Resource }) {
  const { kind, namespace, name, state, reason, pools } = resource;
  const { color, means } = SHOWN[state];
  return (
    <tr>
      <td>
        <Badge size="sm" variant="light" color={color} tt="none" title={means}>
          {state}
        </Badge>
      </td>
      <td>
        <bdi>
          {namespace}/{name}
        </bdi>
        <div className="faint">{kind}</div>
      </td>
      <td>
        {reason !== '' && <div className="bad">{reason}</div>}
        {pools.map((pool) => (
          <div key={pool} className="mono">
            <Anchor href={`#${encodeURIComponent(pool)}`} size="sm">
              {pool}
            </Anchor>
          </div>
        ))}
      </td>
    </tr>
  );
}
