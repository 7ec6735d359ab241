/// <reference types="vite/client" />
import { expect, it } from 'vitest';
import { isObject } from '../../lib/json';
import { layout } from '../layout/repeat';
import { readDashboard } from './read';

const FILES = import.meta.glob<unknown>('../../../../infra/grafana/dashboards/*.json', {
  eager: true,
  import: 'default',
});

it('ships five dashboards', () => {
  expect(Object.keys(FILES).length).toBe(5);
});

it.each(Object.entries(FILES))('%s asks for nothing that is not supported', (path, json) => {
  const read = readDashboard(json);
  expect(read).toMatchObject({ ok: true, unsupported: [] });
  if (!read.ok) return;
  const { dashboard } = read;
  expect(path).toContain(`/${dashboard.uid}.json`);
  expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(39);
  // Data sources are the default ones, so that the files load in Grafana unmodified.
  expect(isObject(json) && '__inputs' in json).toBe(false);
  const targets = dashboard.panels.flatMap((p) => p.targets);
  for (const { source } of targets) expect(source.uid).toBe(source.kind);
  const ids = dashboard.panels.map((p) => p.id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const panel of dashboard.panels) {
    expect(panel.title === '' ? panel.type : panel.title).not.toBe('');
    expect(panel.grid.x + panel.grid.w).toBeLessThanOrEqual(24);
  }
  expect(layout(dashboard.panels, () => ['a']).length).toBeGreaterThan(0);
});
