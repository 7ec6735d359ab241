/** All metrics with their words, the labels of one, the values of a label: chosen, not typed. */

import { Button, Group, Loader, Modal, Select, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useDeferredValue, useMemo, useRef, useState } from 'react';
import * as prometheus from '../../api/prometheus';
import { formatLabels, type Labels } from '../../frame/frame';
import { usePageTime } from '../../ui/time';
import { describe, type Metric, searched, suggestions } from './browse';

type Props = { readonly onClose: () => void; readonly onPick: (expr: string) => void };

const LIMIT = 50_000;
const ROW = 40;

export function MetricBrowser({ onClose, onPick }: Props) {
  const { range } = usePageTime();
  const [search, setSearch] = useState('');
  const [type, setType] = useState('');
  const [chosen, setChosen] = useState<Metric | undefined>();
  const [labels, setLabels] = useState<Labels>({});
  const wanted = useDeferredValue(search);
  const params = { start: range.from / 1_000, end: range.to / 1_000, limit: LIMIT };
  const all = useQuery({
    queryKey: ['browser', range.from, range.to],
    queryFn: async ({ signal }) => {
      const [names, metadata] = await Promise.all([
        prometheus.labelValues('__name__', params, { signal }),
        prometheus.metadata({}, { signal }),
      ]);
      return describe(names, metadata);
    },
  });
  const metrics = all.data ?? [];
  const found = useMemo(() => searched(metrics, wanted, type), [metrics, wanted, type]);
  const types = useMemo(() => [...new Set(metrics.map((m) => m.type))].sort(), [metrics]);
  return (
    <Modal opened onClose={onClose} title="Metrics" size="xl">
      <div className="browser">
        <Stack gap="xs">
          <Group gap="xs" wrap="nowrap">
            <TextInput
              aria-label="Search names and descriptions"
              placeholder="Search names and descriptions"
              size="xs"
              flex={1}
              value={search}
              onChange={(e) => setSearch(e.currentTarget.value)}
              data-autofocus
            />
            <Select
              aria-label="Type of metric"
              placeholder="Any type"
              size="xs"
              w={110}
              clearable
              data={types}
              value={type === '' ? null : type}
              onChange={(value) => setType(value ?? '')}
            />
          </Group>
          {all.error !== null && <Text className="bad">{all.error.message}</Text>}
          {all.isPending ? (
            <Loader size="sm" aria-label="Loading" />
          ) : (
            <MetricList
              metrics={found}
              chosen={chosen?.name}
              onChoose={(metric) => {
                setChosen(metric);
                setLabels({});
              }}
            />
          )}
          <Text size="xs" className="faint" aria-live="polite">
            {found.length} of {metrics.length} metrics
          </Text>
        </Stack>
        {chosen === undefined ? (
          <Text size="sm" className="faint">
            Choose a metric to see its labels.
          </Text>
        ) : (
          <Stack gap="xs">
            <Text size="sm" fw={600} className="mono" style={{ overflowWrap: 'anywhere' }}>
              {chosen.name}
            </Text>
            <Text size="xs" className="faint">
              {chosen.type}. {chosen.help}
            </Text>
            <LabelChoice metric={chosen.name} labels={labels} onChange={setLabels} />
            <Stack gap={4}>
              {suggestions(chosen, labels).map((expr) => (
                <Button
                  key={expr}
                  size="compact-sm"
                  h="auto"
                  py={4}
                  variant="light"
                  justify="start"
                  fw={400}
                  styles={{
                    label: { whiteSpace: 'normal', textAlign: 'left', overflow: 'visible' },
                  }}
                  onClick={() => onPick(expr)}
                >
                  <span className="mono" style={{ overflowWrap: 'anywhere' }}>
                    {expr}
                  </span>
                </Button>
              ))}
            </Stack>
          </Stack>
        )}
      </div>
    </Modal>
  );
}

type ListProps = {
  readonly metrics: readonly Metric[];
  readonly chosen: string | undefined;
  readonly onChoose: (metric: Metric) => void;
};

function MetricList({ metrics, chosen, onChoose }: ListProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: metrics.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 8,
  });
  return (
    <section ref={scroller} className="browser-list" style={{ height: 380 }} aria-label="Metrics">
      <div style={{ height: virtual.getTotalSize(), position: 'relative' }}>
        {virtual.getVirtualItems().map((item) => {
          const metric = metrics[item.index];
          if (metric === undefined) return null;
          return (
            <button
              key={metric.name}
              type="button"
              className="browser-item"
              aria-pressed={metric.name === chosen}
              title={metric.help}
              style={{
                position: 'absolute',
                height: ROW,
                transform: `translateY(${item.start}px)`,
              }}
              onClick={() => onChoose(metric)}
            >
              <div className="mono cut">{metric.name}</div>
              <div className="faint cut">
                {metric.type}
                {metric.help === '' ? '' : `, ${metric.help}`}
              </div>
            </button>
          );
        })}
      </div>
    </section>
  );
}

type LabelProps = {
  readonly metric: string;
  readonly labels: Labels;
  readonly onChange: (labels: Labels) => void;
};

/** A condition for each label that one likes; values are those that the others leave. */
function LabelChoice({ metric, labels, onChange }: LabelProps) {
  const { range } = usePageTime();
  const params = { start: range.from / 1_000, end: range.to / 1_000, limit: 10_000 };
  const all = useQuery({
    queryKey: ['browser-labels', metric, labels, range.from, range.to],
    queryFn: async ({ signal }) => {
      const names = await prometheus.labelNames(
        { ...params, 'match[]': formatLabels({ __name__: metric }) },
        { signal },
      );
      const shown = names.filter((name) => name !== '__name__').slice(0, 24);
      const values = await Promise.all(
        shown.map((name) => {
          const { [name]: _, ...others } = labels;
          const match = formatLabels({ __name__: metric, ...others });
          return prometheus.labelValues(name, { ...params, 'match[]': match }, { signal });
        }),
      );
      return shown.map((name, at) => ({ name, values: values[at] ?? [] }));
    },
    placeholderData: (before) => before,
  });
  return (
    <div style={{ display: 'grid', gridTemplateColumns: '1fr 1fr', gap: 6 }}>
      {(all.data ?? []).map(({ name, values }) => (
        <Select
          key={name}
          size="xs"
          label={`${name} (${values.length})`}
          placeholder="any"
          searchable
          clearable
          limit={200}
          data={[...values].filter((value) => value !== '')}
          value={labels[name] ?? null}
          onChange={(value) => {
            const { [name]: _, ...others } = labels;
            onChange(value === null ? others : { ...others, [name]: value });
          }}
        />
      ))}
    </div>
  );
}
