/** What is scraped, and how it went: those that fail first. */

import { Badge } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ActiveTarget } from '../../api/generated';
import { targets } from '../../api/status';
import { seconds } from '../../dashboard/units/units';
import { LabelList } from '../../ui/LabelList';
import { Nothing, Page, Part, Search } from '../../ui/Page';
import { poolsOf } from './pools';

const COLORS = { up: 'green', down: 'red', unknown: 'gray' } as const;

export function Targets() {
  const [text, setText] = useState('');
  const all = useQuery({
    queryKey: ['targets'],
    queryFn: ({ signal }) => targets({ signal }),
    refetchInterval: 10_000,
  });
  const pools = poolsOf(all.data ?? [], text);
  return (
    <Page
      title="Targets"
      known={all.data !== undefined}
      error={all.error}
      tools={<Search label="Search labels and errors" value={text} onChange={setText} />}
    >
      {pools.length === 0 && <Nothing>No target matches.</Nothing>}
      {pools.map(({ name, targets: of, up }) => (
        <Part
          key={name}
          title={name}
          note={
            <Badge size="sm" variant="light" color={up === of.length ? 'green' : 'red'} tt="none">
              {up} of {of.length} up
            </Badge>
          }
        >
          <div className="sheet" data-wide data-stack>
            <table>
              <thead>
                <tr>
                  <th scope="col" style={{ width: 90 }}>
                    State
                  </th>
                  <th scope="col">Target</th>
                  <th scope="col" style={{ width: 130 }}>
                    Last scrape
                  </th>
                  <th scope="col" style={{ width: 100 }} data-number>
                    Took
                  </th>
                </tr>
              </thead>
              <tbody>
                {of.map((target) => (
                  <Row
                    key={`${target.scrapeUrl}${JSON.stringify(target.labels)}`}
                    target={target}
                  />
                ))}
              </tbody>
            </table>
          </div>
        </Part>
      ))}
    </Page>
  );
}

function Row({ target }: { target: ActiveTarget }) {
  const [open, setOpen] = useState(false);
  const ago = (Date.now() - Date.parse(target.lastScrape)) / 1_000;
  return (
    <tr>
      <td>
        <Badge size="sm" variant="light" color={COLORS[target.health] ?? 'gray'} tt="none">
          {target.health}
        </Badge>
      </td>
      <td>
        <span className="mono" style={{ overflowWrap: 'anywhere' }}>
          {target.scrapeUrl}
        </span>
        <LabelList labels={target.labels} />
        {target.lastError !== '' && <div className="bad">{target.lastError}</div>}
        <button
          type="button"
          className="plain faint"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          {open ? 'Hide the labels before relabelling' : 'Labels before relabelling'}
        </button>
        {open && (
          <>
            <LabelList labels={target.discoveredLabels} />
            <div className="faint">Scraped every {target.scrapeInterval}.</div>
          </>
        )}
      </td>
      <td style={{ whiteSpace: 'nowrap' }} data-label="scraped">
        {ago < 1e8 ? `${seconds(Math.max(ago, 0), 0)} ago` : 'never'}
      </td>
      <td data-number data-label="took">
        {seconds(target.lastScrapeDuration)}
      </td>
    </tr>
  );
}
