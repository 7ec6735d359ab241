/**
 * The lines that were found so far, page by page. Pages are added to it and nothing is copied, so a
 * page costs the same behind two million lines as behind none. A line becomes a row when it is
 * looked at.
 */

import type { LogLine } from '../../api/loki';
import { type LogRow, type Rows, rowOf } from '../../panels/logs/prepare';

const CHUNK = 4_096;

export class FoundLines {
  #length = 0;
  /** Letters of all lines, which is about what they take in memory. */
  #letters = 0;
  readonly #chunks: LogLine[][] = [];

  get length(): number {
    return this.#length;
  }

  get letters(): number {
    return this.#letters;
  }

  at(place: number): LogLine | undefined {
    return this.#chunks[Math.floor(place / CHUNK)]?.[place % CHUNK];
  }

  add(lines: readonly LogLine[]): void {
    for (const line of lines) {
      let chunk = this.#chunks[Math.floor(this.#length / CHUNK)];
      if (chunk === undefined) {
        chunk = [];
        this.#chunks.push(chunk);
      }
      chunk.push(line);
      this.#length += 1;
      this.#letters += line.line.length;
    }
  }

  /** Takes the lines behind the first `length` away. */
  cut(length: number): void {
    for (; this.#length > length; this.#length -= 1) {
      const chunk = this.#chunks.at(-1);
      this.#letters -= chunk?.pop()?.line.length ?? 0;
      if (chunk?.length === 0) this.#chunks.pop();
    }
  }

  /** Its rows as they are now; those that stay keep their keys, so that opened ones stay open. */
  rows(): Rows {
    const { length } = this;
    return {
      length,
      at: (place: number): LogRow | undefined => {
        const line = place < length ? this.at(place) : undefined;
        return line === undefined ? undefined : rowOf(line, String(place));
      },
    };
  }
}
