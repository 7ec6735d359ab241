/**
 * Asking the server: one function for every request, errors with the server's own words.
 *
 * Requests stay on this origin. A session that has ended is told to the page, which shows the login.
 */

/** What the server said when it refused. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  constructor(
    readonly status: number,
    message: string,
    /** Prometheus' `errorType`, where the answer has one. */
    readonly kind?: string,
  ) {
    super(message);
  }
}

/** How often a server that is away is asked whether it is back. */
export const AGAIN_MS = 5_000;

export const UNREACHABLE =
  'The server cannot be reached; an open page asks again every few seconds.';

/** No answer came: the server is away, or something on the way to it is. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
  constructor() {
    super(UNREACHABLE);
  }
}

/** As `fetch`, whose own words for a lost connection differ by browser and tell nothing. */
async function fetched(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init);
  } catch (error) {
    if (error instanceof TypeError) throw new Unreachable();
    throw error;
  }
}

export type Params = Readonly<Record<string, string | number | readonly string[] | undefined>>;

export function search(params: Params): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) {
    if (value === undefined) continue;
    for (const one of typeof value === 'object' ? value : [value]) query.append(key, String(one));
  }
  return query.toString();
}

export type Ask = {
  readonly signal?: AbortSignal | undefined;
  readonly headers?: Record<string, string>;
};

/** GET, or POST with a form when the parameters are too long for an address. */
export async function ask(path: string, params: Params = {}, how: Ask = {}): Promise<Response> {
  const query = search(params);
  const long = query.length > 4_000;
  const response = await fetched(query === '' || long ? path : `${path}?${query}`, {
    method: long ? 'POST' : 'GET',
    credentials: 'same-origin',
    ...(how.signal === undefined ? {} : { signal: how.signal }),
    headers: {
      ...(long ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
      ...how.headers,
    },
    ...(long ? { body: query } : {}),
  });
  if (!response.ok) throw await refused(response);
  return response;
}

/** Sends JSON for the server to act on; the answer, good or bad, is the caller's to read. */
export function send(method: 'POST' | 'DELETE', path: string, body?: unknown): Promise<Response> {
  return fetched(path, {
    method,
    credentials: 'same-origin',
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** The error behind an answer: Prometheus' envelope, Grafana's message, Loki's plain text. */
export async function refused(response: Response): Promise<ApiError> {
  if (response.status === 401) globalThis.dispatchEvent?.(new Event('masthead:logged-out'));
  const text = await response.text();
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null) {
      const { error, message, detail, errorType } = body as Record<string, unknown>;
      const said = [error, message, detail].find((part) => typeof part === 'string');
      if (typeof said === 'string') {
        return new ApiError(
          response.status,
          said,
          typeof errorType === 'string' ? errorType : undefined,
        );
      }
    }
  } catch {
    // Not JSON: the text itself is the message.
  }
  const said = text.trim() === '' ? response.statusText : text.trim().slice(0, 2_000);
  return new ApiError(response.status, said === '' ? `HTTP ${response.status}` : said);
}
