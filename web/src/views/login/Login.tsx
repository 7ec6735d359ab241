/** The way in: user and password, then back to where one came from. */

import {
  Alert,
  Button,
  Center,
  Paper,
  PasswordInput,
  Stack,
  TextInput,
  Title,
} from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useEffect, useState } from 'react';
import { useLocation, useSearchParams } from 'wouter';
import { logIn, placeAfter } from '../../api/session';
import { useSession } from '../../ui/session';

export function Login() {
  useDocumentTitle('Log in - Masthead');
  const session = useSession();
  const client = useQueryClient();
  const [params] = useSearchParams();
  const [, go] = useLocation();
  const [user, setUser] = useState('');
  const [password, setPassword] = useState('');
  const [error, setError] = useState<string | undefined>();
  const [busy, setBusy] = useState(false);
  const next = placeAfter(params.get('next'));
  const inside = session.known && (!session.loginWanted || session.user !== undefined);

  useEffect(() => {
    if (inside) go(next, { replace: true });
  }, [inside, next, go]);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await logIn(user, password);
      await client.invalidateQueries({ predicate: (query) => query.queryKey[0] !== 'user' });
      await session.refresh();
    } catch (problem) {
      setPassword('');
      setError(problem instanceof Error ? problem.message : String(problem));
    } finally {
      setBusy(false);
    }
  };

  return (
    <Center mih="100vh" p="md" component="main">
      <Paper withBorder p="lg" w={360} maw="100%">
        <form onSubmit={submit}>
          <Stack gap="sm">
            <Center>
              <img src="/favicon.svg" alt="" width={44} height={44} />
            </Center>
            <Title order={1} size="h3" ta="center">
              Log in to Masthead
            </Title>
            {error !== undefined && (
              <Alert color="red" p="xs" role="alert">
                {error}
              </Alert>
            )}
            <TextInput
              label="User"
              name="username"
              autoComplete="username"
              value={user}
              onChange={(e) => setUser(e.currentTarget.value)}
              required
              withAsterisk={false}
              autoFocus
            />
            <PasswordInput
              label="Password"
              name="password"
              autoComplete="current-password"
              value={password}
              onChange={(e) => setPassword(e.currentTarget.value)}
              required
              withAsterisk={false}
            />
            <Button type="submit" loading={busy}>
              Log in
            </Button>
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}
