import { expect, it } from 'vitest';
import { contrast, inkFor } from './color';

it('measures contrast as WCAG does', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21);
  expect(contrast('#73BF69', '#ffffff')).toBeCloseTo(2.23, 1);
});

it('changes a colour only as much as it takes to read it', () => {
  expect(inkFor('#73BF69', true)).toBe('#73BF69');
  for (const color of ['#73BF69', '#FADE2A', '#ffffff']) {
    expect(contrast(inkFor(color, false), '#ffffff')).toBeGreaterThanOrEqual(4.5);
  }
  expect(inkFor('inherit', false)).toBe('inherit');
});
