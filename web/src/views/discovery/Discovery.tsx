/**
 * What discovery found: custom resources and what became of them, targets with their labels before
 * and after relabelling, and which rule left a target out.
 */

import { Alert, Badge, Group, SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { discovered, discovery, relabelSteps } from '../../api/status';
import { LabelList } from '../../ui/LabelList';
import { Nothing, Page, Part, Search } from '../../ui/Page';
import { type Found, jobsOf, resourcesOf, ruleText } from './found';
import { Resources } from './Resources';

/** Rows of a job at first; one with thousands would make the page slow. */
const ROWS = 50;

export function Discovery() {
  const [text, setText] = useState('');
  const [only, setOnly] = useState('');
  const all = useQuery({
    queryKey: ['discovered'],
    queryFn: ({ signal }) => discovered({ signal }),
    refetchInterval: 15_000,
  });
  const cluster = useQuery({
    queryKey: ['discovery'],
    queryFn: ({ signal }) => discovery({ signal }),
    refetchInterval: 15_000,
  });
  const { pools = [], resources = [], problems = [] } = cluster.data ?? {};
  const jobs = all.data === undefined ? [] : jobsOf(all.data, pools, text, only);
  return (
    <Page
      title="Discovery"
      known={all.data !== undefined}
      error={all.error ?? cluster.error}
      tools={
        <Group gap="xs" w={{ base: '100%', xs: 'auto' }}>
          <SegmentedControl
            size="xs"
            aria-label="Which targets"
            value={only}
            onChange={setOnly}
            data={[
              { value: '', label: 'All' },
              { value: 'kept', label: 'Kept' },
              { value: 'dropped', label: 'Dropped' },
            ]}
          />
          <Search label="Search labels" value={text} onChange={setText} />
        </Group>
      }
    >
      {problems.length > 0 && (
        <Alert color="yellow" title="Not everything can be discovered">
          {problems.map((problem) => (
            <div key={problem}>{problem}</div>
          ))}
        </Alert>
      )}
      {resources.length > 0 && <Resources of={resourcesOf(resources, text)} />}
      {jobs.length === 0 && all.error === null && <Nothing>Nothing matches.</Nothing>}
      {jobs.map((job) => (
        <JobSection key={job.name} job={job} />
      ))}
    </Page>
  );
}

function JobSection({ job }: { job: ReturnType<typeof jobsOf>[number] }) {
  const [shown, setShown] = useState(ROWS);
  const { name, kept, dropped, found, reason } = job;
  return (
    <Part
      title={name}
      id={encodeURIComponent(name)}
      note={
        <>
          <Badge size="sm" variant="light" color="green" tt="none">
            {kept} kept
          </Badge>{' '}
          {dropped > 0 && (
            <Badge size="sm" variant="light" color="gray" tt="none">
              {dropped} dropped
            </Badge>
          )}
        </>
      }
    >
      {found.length > 0 && reason !== '' && (
        <div className="bad">Nothing is scraped: {reason}.</div>
      )}
      {found.length === 0 ? (
        <Nothing>Discovery has found nothing for this job.</Nothing>
      ) : (
        <div className="sheet" data-wide data-stack>
          <table>
            <thead>
              <tr>
                <th scope="col" style={{ width: 90 }}>
                  Relabelled
                </th>
                <th scope="col" style={{ width: '48%' }}>
                  Found
                </th>
                <th scope="col">Target</th>
              </tr>
            </thead>
            <tbody>
              {found.slice(0, shown).map((one) => (
                <Row key={one.key} pool={name} found={one} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {found.length > shown && (
        <button type="button" className="plain" onClick={() => setShown(shown * 4)}>
          Show more of {found.length}
        </button>
      )}
    </Part>
  );
}

function Row({ pool, found }: { pool: string; found: Found }) {
  const [open, setOpen] = useState(false);
  const { before, after } = found;
  return (
    <>
      <tr>
        <td>
          <Badge size="sm" variant="light" color={after === undefined ? 'gray' : 'green'} tt="none">
            {after === undefined ? 'dropped' : 'kept'}
          </Badge>
        </td>
        <td>
          <LabelList labels={before} />
        </td>
        <td>
          {after !== undefined && <LabelList labels={after} />}
          <button
            type="button"
            className="plain faint"
            aria-expanded={open}
            onClick={() => setOpen(!open)}
          >
            {open ? 'Hide the rules' : after === undefined ? 'Why?' : 'Which rules?'}
          </button>
        </td>
      </tr>
      {open && (
        <tr>
          <td />
          <td colSpan={2}>
            <Steps pool={pool} found={found} />
          </td>
        </tr>
      )}
    </>
  );
}

function Steps({ pool, found }: { pool: string; found: Found }) {
  const steps = useQuery({
    queryKey: ['relabel', pool, found.before],
    queryFn: ({ signal }) => relabelSteps(pool, found.before, { signal }),
  });
  if (steps.error !== null) return <div className="bad">{steps.error.message}</div>;
  if (steps.data === undefined) return <span className="faint">Asking…</span>;
  if (steps.data.length === 0) return <span className="faint">The job has no rules.</span>;
  return (
    <ol style={{ margin: 0, paddingLeft: 20 }}>
      {steps.data.map((step, at) => (
        <li key={at}>
          <span className="mono">{ruleText(step.rule)}</span>
          {step.keep ? (
            <LabelList labels={step.output} />
          ) : (
            <div className="bad">This rule dropped it.</div>
          )}
        </li>
      ))}
    </ol>
  );
}
