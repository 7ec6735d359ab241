import { expect, it } from 'vitest';
import { field, frame } from '../../frame/frame';
import type { Annotation } from '../schema/model';
import { lineEvents, metricEvents } from './events';

const annotation: Annotation = {
  name: 'Deploys',
  enabled: true,
  hidden: false,
  color: 'red',
  expr: 'x',
  source: { kind: 'prometheus' },
  titleFormat: 'Deploy of {{app}}',
  tagKeys: 'app, env',
  builtIn: false,
};

it('joins steps that follow each other to one event', () => {
  const times = [0, 10, 20, 30, 60, 70];
  const series = frame([
    field('Time', 'time', times),
    field('Value', 'number', [0, 1, 1, 0, 2, 1], { labels: { app: 'api' } }),
  ]);
  const events = metricEvents(annotation, [series], 10);
  expect(events.map((e) => [e.from, e.to])).toEqual([
    [10, 20],
    [60, 70],
  ]);
  expect(events[0]).toMatchObject({
    title: 'Deploy of api',
    text: '{app="api"}',
    tags: ['api'],
    color: 'red',
  });
});

it('makes an event of each line', () => {
  const line = {
    ns: '5000000',
    ms: 5,
    line: 'done',
    stream: { env: 'prod' },
    metadata: {},
    parsed: {},
  };
  const { titleFormat: _, ...plain } = annotation;
  expect(lineEvents(plain, [line])[0]).toMatchObject({
    from: 5,
    to: 5,
    title: 'Deploys',
    text: 'done',
    tags: ['prod'],
  });
});
