/** The queries that run now, and those that were slow. */

import { ApiError, type Ask, ask, refused, send } from './http';

export type Asked = {
  readonly id: number;
  readonly language: 'promql' | 'logql';
  readonly query: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number | null;
  readonly beganMs: number;
};

export type Touched = {
  readonly samples: number;
  readonly series: number;
  readonly blocks: number;
  readonly decodedBytes: number;
};

export type RunningQuery = Asked & {
  readonly waits: boolean;
  readonly elapsedSeconds: number;
  readonly touched: Touched;
};

export type Span = {
  readonly what: string;
  readonly startSeconds: number;
  readonly tookSeconds: number;
};

export type SlowQuery = Asked & {
  readonly outcome: 'done' | 'failed' | 'cancelled';
  readonly explain: Touched & {
    readonly queuedSeconds: number;
    readonly totalSeconds: number;
    readonly spans: readonly Span[];
  };
};

export type Queries = {
  readonly running: readonly RunningQuery[];
  readonly slowest: readonly SlowQuery[];
};

export async function queries(how: Ask): Promise<Queries> {
  try {
    const found = (await (await ask('/api/queries', {}, how)).json()) as Partial<Queries>;
    return { running: found.running ?? [], slowest: found.slowest ?? [] };
  } catch (error) {
    if (error instanceof ApiError && error.status === 404)
      throw new Error('this server does not note its queries');
    throw error;
  }
}

export async function endQuery(id: number): Promise<void> {
  const response = await send('DELETE', `/api/queries/${id}`);
  // One that has ended meanwhile needs no ending.
  if (!response.ok && response.status !== 404) throw await refused(response);
}
