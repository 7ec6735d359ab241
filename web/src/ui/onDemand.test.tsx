// @vitest-environment happy-dom

import { MantineProvider } from '@mantine/core';
import { cleanup, render, screen } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';
import { onDemand } from './onDemand';

afterEach(cleanup);

function Hello({ name }: { name: string }) {
  return <p>hello {name}</p>;
}

const show = (what: React.ReactNode) => render(<MantineProvider>{what}</MantineProvider>);

test('a part is waited for once, and is there at once the next time', async () => {
  const bring = vi.fn(() => Promise.resolve(Hello));
  const Part = onDemand(bring, <p>coming</p>);
  const first = show(<Part name="one" />);
  expect(screen.getByText('coming')).toBeDefined();
  await screen.findByText('hello one');
  first.unmount();
  show(<Part name="two" />);
  expect(screen.getByText('hello two')).toBeDefined();
  expect(bring).toHaveBeenCalledTimes(1);
});

test('what was begun before is not brought again', async () => {
  const bring = vi.fn(() => Promise.resolve(Hello));
  const Part = onDemand(bring);
  Part.load();
  await Promise.resolve();
  show(<Part name="early" />);
  await screen.findByText('hello early');
  expect(bring).toHaveBeenCalledTimes(1);
});

test('a part that does not come says so, leaves the rest alone, and is tried again', async () => {
  let away = true;
  const Part = onDemand(() => (away ? Promise.reject(new Error('gone')) : Promise.resolve(Hello)));
  const page = show(
    <>
      <p>the rest</p>
      <Part name="x" />
    </>,
  );
  await screen.findByText(/did not come/);
  expect(screen.getByText('the rest')).toBeDefined();
  page.unmount();
  away = false;
  show(<Part name="back" />);
  await screen.findByText('hello back');
});
