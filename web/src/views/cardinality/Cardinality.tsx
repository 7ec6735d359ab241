/** What the series are made of: which metrics, labels and values are the most. */

import { SimpleGrid, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { Count } from '../../api/generated';
import { cardinality } from '../../api/status';
import { Page, Part } from '../../ui/Page';

/** Rows of each table. */
const ROWS = 20;

export function Cardinality() {
  const all = useQuery({
    queryKey: ['cardinality'],
    queryFn: ({ signal }) => cardinality(ROWS, { signal }),
  });
  const { headStats } = all.data ?? {};
  const write = (value: number | undefined) => (value ?? 0).toLocaleString('en');
  return (
    <Page title="Cardinality" known={all.data !== undefined} error={all.error}>
      <Text size="sm">
        <b>{write(headStats?.numSeries)}</b> series in memory, of{' '}
        <b>{write(headStats?.numLabelPairs)}</b> different pairs of label and value.
      </Text>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="sm">
        <Counts
          title="Series by metric"
          of={all.data?.seriesCountByMetricName}
          whole={headStats?.numSeries}
        />
        <Counts title="Values by label" of={all.data?.labelValueCountByLabelName} />
        <Counts
          title="Series by pair of label and value"
          of={all.data?.seriesCountByLabelValuePair}
          whole={headStats?.numSeries}
        />
        <Counts title="Bytes of values by label" of={all.data?.memoryInBytesByLabelName} />
      </SimpleGrid>
    </Page>
  );
}

function Counts({
  title,
  of = [],
  whole,
}: {
  title: string;
  of?: readonly Count[] | undefined;
  whole?: number | undefined;
}) {
  const most = whole ?? of.reduce((a, { value }) => Math.max(a, value), 1);
  return (
    <Part title={title}>
      <div className="sheet">
        <table>
          <tbody>
            {of.map(({ name, value }) => (
              <tr key={name}>
                <th scope="row" className="mono" style={{ overflowWrap: 'anywhere' }}>
                  {name}
                </th>
                <td data-number>{value.toLocaleString('en')}</td>
                <td className="sheet-share" aria-hidden="true">
                  <span style={{ width: `${Math.min(value / Math.max(most, 1), 1) * 100}%` }} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Part>
  );
}
