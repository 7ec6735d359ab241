// @vitest-environment happy-dom

import { MantineProvider } from '@mantine/core';
import { cleanup, render, screen } from '@testing-library/react';
import { afterEach, expect, test } from 'vitest';
import { Page } from './Page';

afterEach(cleanup);

const show = (known: boolean, error: Error | null) =>
  render(
    <MantineProvider>
      <Page title="Queries" known={known} error={error}>
        <p>No query runs.</p>
      </Page>
    </MantineProvider>,
  );

test('says nothing of what it does not know', () => {
  show(false, null);
  expect(screen.queryByText('No query runs.')).toBeNull();
  expect(screen.getByLabelText('Loading')).toBeDefined();
});

test('tells a refusal in place of an answer, and beside an older one', () => {
  const first = show(false, new Error('no such thing'));
  expect(screen.getByText('no such thing')).toBeDefined();
  expect(screen.queryByText('No query runs.')).toBeNull();
  expect(screen.queryByLabelText('Loading')).toBeNull();
  first.unmount();
  show(true, new Error('no such thing'));
  expect(screen.getByText('no such thing')).toBeDefined();
  expect(screen.getByText('No query runs.')).toBeDefined();
});
