/** The server's build, run, flags and configuration. */

import { SimpleGrid, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { configuration, facts } from '../../api/status';
import { Page } from '../../ui/Page';

export function Status() {
  const all = useQuery({
    queryKey: ['status'],
    queryFn: async ({ signal }) => {
      const [build, run, flags, config] = await Promise.all([
        facts('buildinfo', { signal }),
        facts('runtimeinfo', { signal }),
        facts('flags', { signal }),
        configuration({ signal }),
      ]);
      return { build, run, flags, config };
    },
  });
  const { build = {}, run = {}, flags = {}, config = '' } = all.data ?? {};
  return (
    <Page title="Status" loading={all.isPending} error={all.error}>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="sm">
        <Facts title="Build" of={build} />
        <Facts title="Run" of={run} />
      </SimpleGrid>
      <Facts title="Flags" of={flags} />
      <section aria-label="Configuration">
        <Title order={2} size="h5" mb={4}>
          Configuration
        </Title>
        <div className="sheet">
          <pre className="mono">{config === '' ? '(none)' : config}</pre>
        </div>
      </section>
    </Page>
  );
}

function Facts({ title, of }: { title: string; of: Readonly<Record<string, unknown>> }) {
  // The API answers Prometheus' own names too, of which some mean nothing here.
  const rows = Object.entries(of).filter(([, value]) => value !== '');
  return (
    <section aria-label={title}>
      <Title order={2} size="h5" mb={4}>
        {title}
      </Title>
      <div className="sheet">
        <table>
          <tbody>
            {rows.map(([name, value]) => (
              <tr key={name}>
                <th scope="row" style={{ width: '45%' }}>
                  {name}
                </th>
                <td className="mono" style={{ overflowWrap: 'anywhere' }}>
                  {String(value)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
