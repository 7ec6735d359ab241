/**
 * The heights of a list's rows, most of which nobody has seen: those count as the usual height.
 *
 * Rows are kept by the thousand, so that a list of millions is asked where a row stands, or which
 * row stands somewhere, in a few thousand steps, and a page of rows more costs nothing.
 */

const CHUNK = 1_024;

/** The heights of rows; 0 of those that were not measured. */
type Chunk = { sum: number; readonly of: Float32Array };

export class Heights {
  readonly #usual: number;
  #count = 0;
  #total = 0;
  /** Only where a row was measured. */
  readonly #chunks: (Chunk | undefined)[] = [];

  constructor(usual: number) {
    this.#usual = usual;
  }

  get count(): number {
    return this.#count;
  }

  /** The height of all rows together. */
  get total(): number {
    return this.#total;
  }

  /** Adds rows of the usual height at the end, or takes some from there. */
  resize(count: number): void {
    const before = this.#count;
    if (count < before) {
      this.#total = this.top(count);
      this.#chunks.length = Math.ceil(count / CHUNK);
      const last = this.#chunks.at(-1);
      if (last !== undefined) {
        last.of.fill(0, count % CHUNK || CHUNK);
        last.sum = last.of.reduce((sum, height) => sum + (height || this.#usual), 0);
      }
    } else {
      this.#total += (count - before) * this.#usual;
      this.#chunks.length = Math.ceil(count / CHUNK);
    }
    this.#count = count;
  }

  /** Forgets what was measured. */
  reset(): void {
    this.#chunks.fill(undefined);
    this.#total = this.#count * this.#usual;
  }

  height(row: number): number {
    return this.#chunks[Math.floor(row / CHUNK)]?.of[row % CHUNK] || this.#usual;
  }

  /** Whether the row was measured. */
  known(row: number): boolean {
    return Boolean(this.#chunks[Math.floor(row / CHUNK)]?.of[row % CHUNK]);
  }

  /** Notes a measured height; tells by how much it differs from what was thought. */
  set(row: number, height: number): number {
    if (row >= this.#count) return 0;
    const at = Math.floor(row / CHUNK);
    let chunk = this.#chunks[at];
    if (chunk === undefined) {
      chunk = { sum: CHUNK * this.#usual, of: new Float32Array(CHUNK) };
      this.#chunks[at] = chunk;
    }
    const before = chunk.of[row % CHUNK] || this.#usual;
    chunk.of[row % CHUNK] = height;
    const more = (chunk.of[row % CHUNK] ?? height) - before;
    chunk.sum += more;
    this.#total += more;
    return more;
  }

  /** Where a row begins. */
  top(row: number): number {
    const at = Math.floor(row / CHUNK);
    let top = 0;
    for (let chunk = 0; chunk < at; chunk += 1) top += this.#sum(chunk);
    const own = this.#chunks[at];
    if (own === undefined) return top + (row % CHUNK) * this.#usual;
    for (let i = 0; i < row % CHUNK; i += 1) top += own.of[i] || this.#usual;
    return top;
  }

  /** The row that stands at a place; the first or the last one for places outside. */
  rowAt(place: number): number {
    let left = Math.max(place, 0);
    const chunks = Math.ceil(this.#count / CHUNK);
    let at = 0;
    for (; at < chunks - 1; at += 1) {
      const sum = this.#sum(at);
      if (left < sum) break;
      left -= sum;
    }
    let row = at * CHUNK;
    for (; row < this.#count - 1; row += 1) {
      const height = this.height(row);
      if (left < height) break;
      left -= height;
    }
    return row;
  }

  #sum(chunk: number): number {
    return this.#chunks[chunk]?.sum ?? CHUNK * this.#usual;
  }
}
