/** Looking into JSON of which nothing is known: every accessor answers a default instead of failing. */

export type Json = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function object(of: Json, key: string): Json {
  const value = of[key];
  return isObject(value) ? value : {};
}

export function list(of: Json, key: string): readonly unknown[] {
  const value = of[key];
  return Array.isArray(value) ? value : [];
}

export function objects(of: Json, key: string): readonly Json[] {
  return list(of, key).filter(isObject);
}

export function text(of: Json, key: string): string | undefined {
  const value = of[key];
  return typeof value === 'string' ? value : undefined;
}

export function numeric(of: Json, key: string): number | undefined {
  const value = of[key];
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  // Old exports have numbers in quotes.
  if (typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)))
    return Number(value);
  return undefined;
}

export function flag(of: Json, key: string): boolean {
  return of[key] === true;
}

export function texts(of: Json, key: string): readonly string[] {
  return list(of, key).filter((value) => typeof value === 'string');
}

/** Leaves out what is undefined, for types whose optional fields are absent rather than undefined. */
export function defined<T extends object>(of: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined)) as never;
}
