import { expect, it } from 'vitest';
import { placeAfter, readUser } from './session';

it('reads who the server takes us for', () => {
  expect(readUser({ user: 'ann', role: 'view', loginWanted: true, session: true })).toEqual({
    user: 'ann',
    role: 'view',
    loginWanted: true,
    session: true,
  });
  const nobody = { user: null, role: null, loginWanted: true, session: false };
  expect(readUser(nobody)).toMatchObject({ user: undefined, role: 'view' });
  expect(readUser({ ...nobody, role: 'admin', loginWanted: false }).role).toBe('admin');
});

it('goes on only to places of this application', () => {
  expect(placeAfter('/d/host/host?from=now-1h')).toBe('/d/host/host?from=now-1h');
  for (const next of [null, '//evil.example', '/\\evil.example', 'https://evil.example', '/login'])
    expect(placeAfter(next)).toBe('/');
});
