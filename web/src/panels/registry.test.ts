// @vitest-environment happy-dom
import { expect, it } from 'vitest';
import { PANEL_TYPES } from '../dashboard/schema/panel';
import { TYPES } from './registry';

it('draws every type that the schema reader calls supported, and no other', () => {
  // A row is the grid's own business.
  expect(['row', ...TYPES.map((t) => t.id)].sort()).toEqual([...PANEL_TYPES].sort());
});
