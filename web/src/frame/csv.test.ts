import { expect, it } from 'vitest';
import { csv } from './csv';
import { field, frame } from './frame';

it('quotes what must be quoted and disarms formulas', () => {
  const of = frame([
    field('Time', 'time', [0, null]),
    field('a,b', 'string', ['=1+1', 'say "hi"\n']),
    field('n', 'number', [-1, null]),
  ]);
  expect(csv([of])).toBe(
    'Time,"a,b",n\r\n1970-01-01T00:00:00.000Z,\'=1+1,-1\r\n,"say ""hi""\n",\r\n',
  );
});
