/** The server's build, run, flags and configuration. */

import { SimpleGrid } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import * as server from '../../api/status';
import { bytes } from '../../dashboard/units/units';
import type { Labels } from '../../frame/frame';
import { Page, Part } from '../../ui/Page';
import { buildFacts, plainly, runFacts } from './facts';
import { type Store, storesOf } from './storage';

export function Status() {
  const all = useQuery({
    queryKey: ['status'],
    queryFn: async ({ signal }) => {
      const [build, run, flags, config, families] = await Promise.all([
        server.buildInfo({ signal }),
        server.runtimeInfo({ signal }),
        server.flags({ signal }),
        server.configuration({ signal }),
        server.selfMetrics({ signal }),
      ]);
      return {
        build: buildFacts(build),
        run: runFacts(run),
        config,
        flags,
        stores: storesOf(families, flags),
      };
    },
    refetchInterval: 15_000,
  });
  const { build = {}, run = {}, flags = {}, config = '', stores = [] } = all.data ?? {};
  return (
    <Page title="Status" known={all.data !== undefined} error={all.error}>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="sm">
        <Facts title="Build" of={build} />
        <Facts title="Run" of={run} />
      </SimpleGrid>
      <Stores of={stores} />
      <Facts title="Flags" of={flags} says={plainly} />
      <Part title="Configuration">
        <div className="sheet">
          <pre className="mono">{config === '' ? '(none)' : config}</pre>
        </div>
      </Part>
    </Page>
  );
}

/** What is on the disk, and what ends it. */
function Stores({ of }: { of: readonly Store[] }) {
  return (
    <Part title="Storage and retention" name="Storage">
      <div className="sheet" data-wide data-stack>
        <table>
          <thead>
            <tr>
              <th scope="col">Store</th>
              <th scope="col" data-number>
                On disk
              </th>
              <th scope="col">Of that</th>
              <th scope="col">Kept for</th>
              <th scope="col">Kept up to</th>
            </tr>
          </thead>
          <tbody>
            {of.map(({ name, bytes: whole, parts, time, size }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td data-number data-label="on disk">
                  {bytes(whole)}
                </td>
                <td className="faint">
                  {parts.map((part) => `${part.name} ${bytes(part.bytes)}`).join(', ')}
                </td>
                <td data-label="kept for">{time}</td>
                <td data-label="kept up to">{size}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Part>
  );
}

type FactsProps = {
  readonly title: string;
  readonly of: Labels;
  /** What a value says to a person, where it is more than itself. */
  readonly says?: (name: string, value: string) => string | undefined;
};

function Facts({ title, of, says }: FactsProps) {
  const rows = Object.entries(of).filter(([, value]) => value !== '');
  return (
    <Part title={title}>
      <div className="sheet">
        <table>
          <tbody>
            {rows.map(([name, value]) => (
              <tr key={name}>
                <th scope="row" style={{ width: '45%' }}>
                  {name}
                </th>
                <td className="mono" style={{ overflowWrap: 'anywhere' }}>
                  {value} <span className="faint">{says?.(name, value)}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Part>
  );
}
