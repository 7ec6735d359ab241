import { expect, it } from 'vitest';
import { placeAfter, readUser } from './session';

it('reads who the server takes us for', () => {
  expect(readUser({ user: 'ann', role: 'view', loginWanted: true, session: true })).toEqual({
    user: 'ann',
    role: 'view',
    loginWanted: true,
    session: true,
  });
  expect(readUser({ user: null, role: 'admin', loginWanted: false }).user).toBeUndefined();
  expect(readUser({ loginWanted: true, user: null, role: null }).role).toBe('view');
  expect(readUser('?').loginWanted).toBe(false);
});

it('goes on only to places of this application', () => {
  expect(placeAfter('/d/host/host?from=now-1h')).toBe('/d/host/host?from=now-1h');
  for (const next of [null, '//evil.example', '/\\evil.example', 'https://evil.example', '/login'])
    expect(placeAfter(next)).toBe('/');
});
