/** Rules by their group, those that fire first in sight. */

import { Badge, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type Rule, rules } from '../../api/status';
import { LabelList } from '../../ui/LabelList';
import { Nothing, Page, Search } from '../../ui/Page';

const COLORS: Readonly<Record<string, string>> = {
  firing: 'red',
  pending: 'yellow',
  inactive: 'green',
};

export function Alerts() {
  const [text, setText] = useState('');
  const all = useQuery({
    queryKey: ['rules'],
    queryFn: ({ signal }) => rules({ signal }),
    refetchInterval: 10_000,
  });
  const wanted = text.trim().toLowerCase();
  const groups = (all.data ?? [])
    .map((group) => ({
      ...group,
      rules: group.rules.filter((rule) =>
        [rule.name, rule.query, rule.state ?? ''].some((w) => w.toLowerCase().includes(wanted)),
      ),
    }))
    .filter((group) => group.rules.length > 0);
  return (
    <Page
      title="Rules and alerts"
      loading={all.isPending}
      error={all.error}
      tools={<Search label="Search names and expressions" value={text} onChange={setText} />}
    >
      {groups.length === 0 && all.error === null && (
        <Nothing>{wanted === '' ? 'No rules are loaded.' : 'No rule matches.'}</Nothing>
      )}
      {groups.map((group) => (
        <section key={`${group.file}/${group.name}`} aria-label={group.name}>
          <Title order={2} size="h5" mb={4}>
            {group.name} <span className="faint">{group.file}</span>
          </Title>
          <div className="sheet">
            <table>
              <tbody>
                {group.rules.map((rule, at) => (
                  <Row key={at} rule={rule} />
                ))}
              </tbody>
            </table>
          </div>
        </section>
      ))}
    </Page>
  );
}

function Row({ rule }: { rule: Rule }) {
  const state = rule.type === 'recording' ? 'recording' : (rule.state ?? 'inactive');
  return (
    <tr>
      <td style={{ width: 90 }}>
        <Badge size="sm" variant="light" color={COLORS[state] ?? 'gray'} tt="none">
          {state}
        </Badge>
      </td>
      <td>
        <b>{rule.name}</b>
        <div className="mono faint" style={{ overflowWrap: 'anywhere' }}>
          {rule.query}
        </div>
        {rule.lastError !== undefined && rule.lastError !== '' && (
          <div className="bad">{rule.lastError}</div>
        )}
        {(rule.alerts ?? []).map((alert, at) => (
          <div key={at}>
            <LabelList labels={alert.labels} />
            <span className="faint">
              {alert.state} since {alert.activeAt ?? '?'}, value {alert.value ?? '?'}
            </span>
          </div>
        ))}
      </td>
    </tr>
  );
}
