/** Where in an expression an error of the server is. Pure. */

export type Problem = { readonly from: number; readonly to: number; readonly message: string };

/**
 * The place that the message names, as offsets into the expression; nothing if it names none.
 *
 * PromQL's errors count bytes, as Prometheus' do; LogQL's count characters.
 */
export function problemIn(message: string, expr: string): Problem | undefined {
  const promql = /(\d+):(\d+): parse error: ([\s\S]*)/.exec(message);
  const logql = /parse error at line (\d+), col (\d+): ([\s\S]*)/.exec(message);
  const [, line, column, said] = promql ?? logql ?? [];
  if (line === undefined || column === undefined) return undefined;
  const lines = expr.split('\n');
  // A Loki counts some lines from 0, where only the first can be meant.
  const row = Math.min(Math.max(Number(line), 1), lines.length) - 1;
  const before = lines.slice(0, row).reduce((sum, text) => sum + text.length + 1, 0);
  const within = lines[row] ?? '';
  const count = Number(column) - 1;
  const at = Math.min(
    before + (promql === null ? charactersBefore(within, count) : bytesBefore(within, count)),
    expr.length,
  );
  // What ends too early is shown at its last letter, because nothing stands where it ends.
  if (at >= expr.length)
    return { from: Math.max(expr.length - 1, 0), to: expr.length, message: said ?? message };
  const word = /^[\w:.]+/.exec(expr.slice(at))?.[0].length ?? 1;
  return { from: at, to: at + word, message: said ?? message };
}

function charactersBefore(text: string, count: number): number {
  return [...text].slice(0, count).join('').length;
}

function bytesBefore(text: string, count: number): number {
  let [bytes, length] = [0, 0];
  for (const letter of text) {
    if (bytes >= count) break;
    bytes += new TextEncoder().encode(letter).length;
    length += letter.length;
  }
  return length;
}

/**
 * The expression with built-in variables replaced by durations of the same length, so that a server
 * that has never heard of them can read it and its positions stay true.
 */
export function masked(expr: string): string {
  return expr.replace(
    /\$(?:__\w+|\{__\w+(?::\w+)?\})/g,
    (name) => `${'1'.padStart(name.length - 1, '0')}m`,
  );
}
