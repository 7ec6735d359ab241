/**
 * Parts of the page that are loaded when they are first drawn.
 *
 * As React's `lazy`, with two differences. What comes at once is shown at once: a fallback of
 * `Suspense` stays for 300 ms once it is on the screen (`FALLBACK_THROTTLE_MS` of React). And a part
 * that does not come, because the server is away or another version of it runs by now, says so in
 * its place and leaves the rest of the page alone.
 */

import { Alert, Button, Text } from '@mantine/core';
import { type ComponentType, type ReactNode, useEffect, useState } from 'react';

export type OnDemand<P extends object> = ComponentType<P> & {
  /** Begins to load before anything is drawn. */
  readonly load: () => void;
};

/** `waiting` stands in the place of the part until it is there. */
export function onDemand<P extends object>(
  bring: () => Promise<ComponentType<P>>,
  waiting: ReactNode = null,
): OnDemand<P> {
  let part: ComponentType<P> | undefined;
  let coming: Promise<void> | undefined;
  const load = () => {
    coming ??= bring().then(
      (found) => {
        part = found;
      },
      (error: unknown) => {
        // The next one to be drawn tries again.
        coming = undefined;
        throw error;
      },
    );
    return coming;
  };
  function Part(props: P) {
    const [, redraw] = useState(0);
    const [failed, setFailed] = useState(false);
    useEffect(() => {
      if (part !== undefined) return;
      let wanted = true;
      load().then(
        () => wanted && redraw((n) => n + 1),
        () => wanted && setFailed(true),
      );
      return () => {
        wanted = false;
      };
    }, []);
    const Here = part;
    if (Here !== undefined) return <Here {...props} />;
    return failed ? <NotLoaded /> : waiting;
  }
  return Object.assign(Part, { load: () => void load().catch(() => {}) });
}

function NotLoaded() {
  return (
    <Alert color="red" p="xs" maw={520} role="alert" title="This part of the page did not come">
      <Text size="sm">The server cannot be reached, or another version of it runs by now.</Text>
      <Button size="compact-sm" mt="xs" onClick={() => window.location.reload()}>
        Load the page again
      </Button>
    </Alert>
  );
}
