/** Rules by their group: those that cannot be evaluated or that fire stand in front. */

import { Anchor, Badge, Group, SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import type { Alert, Rule } from '../../api/generated';
import { rules } from '../../api/status';
import { fromNow } from '../../dashboard/units/time';
import { seconds } from '../../dashboard/units/units';
import { exploreUrl } from '../../lib/explore-url';
import { formatDuration } from '../../lib/time/duration';
import { LabelList } from '../../ui/LabelList';
import { Nothing, Page, Part, Search } from '../../ui/Page';
import { counted, type State, sifted, stateOf } from './sift';

const COLORS: Readonly<Record<State, string>> = {
  failing: 'grape',
  firing: 'red',
  pending: 'yellow',
  inactive: 'green',
  recording: 'gray',
};

export function Alerts() {
  const [text, setText] = useState('');
  const [only, setOnly] = useState('');
  const all = useQuery({
    queryKey: ['rules'],
    queryFn: ({ signal }) => rules({ signal }),
    refetchInterval: 10_000,
  });
  const loaded = all.data ?? [];
  const groups = sifted(loaded, text, only);
  return (
    <Page
      title="Rules and alerts"
      known={all.data !== undefined}
      error={all.error}
      tools={
        <Group gap="xs" w={{ base: '100%', xs: 'auto' }}>
          {loaded.length > 0 && (
            <SegmentedControl
              size="xs"
              aria-label="State of the rules"
              value={only}
              onChange={setOnly}
              data={[
                { value: '', label: 'All' },
                ...[...counted(loaded)].map(([state, count]) => ({
                  value: state,
                  label: `${count} ${state}`,
                })),
              ]}
            />
          )}
          <Search label="Search names and expressions" value={text} onChange={setText} />
        </Group>
      }
    >
      {groups.length === 0 && all.error === null && (
        <Nothing>
          {loaded.length === 0
            ? 'No rules are loaded: name their files under rule_files of the scrape configuration, or start with --rules.shipped.'
            : 'No rule matches.'}
        </Nothing>
      )}
      {groups.map((group) => (
        <Part
          key={`${group.file}/${group.name}`}
          title={group.name}
          note={
            <span className="faint">
              {group.file}, every {formatDuration(group.interval * 1_000)}
            </span>
          }
        >
          <div className="sheet" data-stack>
            <table>
              <tbody>
                {group.rules.map((rule) => (
                  <Row key={`${rule.name} ${rule.query}`} rule={rule} />
                ))}
              </tbody>
            </table>
          </div>
        </Part>
      ))}
    </Page>
  );
}

function Row({ rule }: { rule: Rule }) {
  const state = stateOf(rule);
  const explore = exploreUrl({
    kind: 'metrics',
    exprs: [rule.query],
    from: 'now-1h',
    to: 'now',
  });
  return (
    <tr>
      <td style={{ minWidth: 100 }}>
        <Badge size="sm" variant="light" color={COLORS[state]} tt="none">
          {state}
        </Badge>
      </td>
      <td style={{ width: '100%' }}>
        <b>{rule.name}</b>
        {rule.duration !== undefined && rule.duration > 0 && (
          <span className="faint"> for {formatDuration(rule.duration * 1_000)}</span>
        )}
        <span className="faint"> took {seconds(rule.evaluationTime)}</span>
        <div>
          <Anchor
            component={Link}
            href={explore}
            size="sm"
            className="mono"
            style={{ overflowWrap: 'anywhere' }}
          >
            {rule.query}
          </Anchor>
        </div>
        {rule.lastError !== undefined && rule.lastError !== '' && (
          <div className="bad">{rule.lastError}</div>
        )}
        {(rule.alerts ?? []).map((alert, at) => (
          <OneAlert key={`${JSON.stringify(alert.labels)} ${at}`} alert={alert} />
        ))}
      </td>
    </tr>
  );
}

/** A value as people write it: the server says `1e+00`. */
function plain(value: string): string {
  const number = Number(value);
  return Number.isFinite(number) ? String(number) : value;
}

function OneAlert({ alert }: { alert: Alert }) {
  const since = alert.activeAt === undefined ? Number.NaN : Date.parse(alert.activeAt);
  return (
    <div style={{ margin: '6px 0' }}>
      <Badge
        size="xs"
        variant="light"
        color={alert.state === 'firing' ? 'red' : 'yellow'}
        tt="none"
        mr={6}
      >
        {alert.state}
      </Badge>
      <span className="faint" title={alert.activeAt}>
        {Number.isNaN(since) ? '' : `since ${fromNow(since, Date.now())}, `}
        value {plain(alert.value)}
      </span>
      <LabelList labels={alert.labels} />
      {Object.entries(alert.annotations).map(([name, value]) => (
        <div key={name}>
          <span className="faint">{name}: </span>
          {/^https?:\/\//i.test(value) ? (
            <Anchor href={value} size="sm" target="_blank" rel="noreferrer">
              {value}
            </Anchor>
          ) : (
            <bdi>{value}</bdi>
          )}
        </div>
      ))}
    </div>
  );
}
