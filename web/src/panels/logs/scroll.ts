/**
 * Which part of a list of any height is seen, in an element whose height browsers limit.
 *
 * A place of the list is where a row would stand if all rows were in the page. The element is as
 * high as the list, but never higher than `ELEMENT_MAX`. A short way of its scroll bar is the same
 * way in the list, so that lines move as the hand does; a long one, such as a drag of the bar or the
 * key End, goes to that part of the whole. What the two differ by is `shift`; when the hand rests,
 * or the bar has no way left where the list has, the bar is put where it belongs, and nothing that
 * is seen moves. Pure.
 */

import { Heights } from './heights';

/** Firefox draws nothing beyond 17.9 million pixels, others nothing beyond 33.5 million. */
export const ELEMENT_MAX = 8_000_000;

/** So far from both ends of a list that is higher, the bar is as far from its own. */
const ENDS = 200_000;

/** As many heights of what is seen are still a short way. */
const SHORT = 2;

export class Scroll {
  readonly heights: Heights;
  /** Pixels of the list that are seen at once. */
  view: number;
  /** The place of the first pixel that is seen. */
  offset = 0;
  /** What is taken from a place in the list to have it in the element. */
  shift = 0;
  /** What is kept in sight while heights become known: the middle of a row, or the end. */
  aim: number | 'end' | undefined;
  /** Where the element was scrolled last. */
  #bar = 0;

  constructor(usual: number, view: number) {
    this.heights = new Heights(usual);
    this.view = view;
  }

  get bar(): number {
    return this.#bar;
  }

  /** The height of the element. */
  get size(): number {
    return Math.min(this.heights.total, ELEMENT_MAX);
  }

  get atEnd(): boolean {
    return this.offset >= this.#most - 1;
  }

  get #most(): number {
    return Math.max(this.heights.total - this.view, 0);
  }

  get #barMost(): number {
    return Math.max(this.size - this.view, 0);
  }

  /** Whether the bar has no way left where the list has. */
  get stuck(): boolean {
    return (this.#bar <= 0 && this.offset > 1) || (this.#bar >= this.#barMost && !this.atEnd);
  }

  /** The element was scrolled to `bar`. */
  scrolled(bar: number): void {
    const way = bar - this.#bar;
    if (way === 0) return;
    this.#bar = bar;
    this.aim = undefined;
    if (Math.abs(way) > SHORT * this.view) this.offset = between(bar, this.#barMost, this.#most);
    else this.offset += way;
    this.#clamp();
    this.shift = this.offset - bar;
  }

  /** Where the bar belongs; what is seen stays. The caller tells by `putAt` where it came to be. */
  settled(): number {
    return between(this.offset, this.#most, this.#barMost);
  }

  /** The element now stands at `bar`, because it was put there. */
  putAt(bar: number): void {
    this.#bar = bar;
    this.shift = this.offset - bar;
  }

  /** Shows a row in the middle, or the end of the list, until the hand scrolls elsewhere. */
  show(aim: number | 'end'): void {
    this.aim = aim;
    this.#aimed();
  }

  goTo(place: number): void {
    this.offset = place;
    this.#clamp();
  }

  #aimed(): void {
    if (this.aim === undefined) return;
    const { heights } = this;
    const place =
      this.aim === 'end'
        ? this.#most
        : heights.top(this.aim) - (this.view - heights.height(this.aim)) / 2;
    this.goTo(place);
  }

  /**
   * Heights as they were measured. The first row that is seen stays where it is, and so does the
   * end of the list, when that is seen and its rows become known; a row that is opened there grows
   * downwards. Tells whether what is seen changed, and whether the bar has to be put elsewhere.
   */
  measured(rows: Iterable<readonly [row: number, height: number]>): 'no' | 'moved' | 'drawn' {
    const first = this.heights.rowAt(this.offset);
    const atEnd = this.offset > 0 && this.atEnd;
    let changed = false;
    let end = false;
    for (const [row, height] of rows) {
      end ||= atEnd && !this.heights.known(row);
      const more = this.heights.set(row, height);
      if (more === 0) continue;
      changed = true;
      if (row >= first) continue;
      this.offset += more;
      this.shift += more;
    }
    if (!changed) return 'no';
    if (this.aim === undefined && !end) return 'drawn';
    if (this.aim === undefined) this.goTo(this.#most);
    else this.#aimed();
    return 'moved';
  }

  /** As many rows went from the start of the list; what is seen stays, if it is still there. */
  dropped(rows: number): void {
    const gone = this.heights.top(rows);
    this.aim = this.aim === 'end' ? 'end' : undefined;
    this.#renumber(-rows);
    this.goTo(this.offset - gone);
  }

  /** As many rows came at the start of the list; what is seen stays, but for an idle start. */
  gained(rows: number, idle: boolean): void {
    if (typeof this.aim === 'number') this.aim += rows;
    this.#renumber(rows);
    if (this.offset > 0 || !idle) this.goTo(this.offset + this.heights.top(rows));
  }

  /** Rows have other numbers, and the heights that they had. */
  #renumber(by: number): void {
    const { heights } = this;
    const kept = Array.from({ length: heights.count + by }, (_, row) =>
      heights.known(row - by) ? heights.height(row - by) : undefined,
    );
    heights.reset();
    heights.resize(kept.length);
    kept.forEach((height, row) => {
      if (height !== undefined) heights.set(row, height);
    });
  }

  /** All heights are others now, such as of lines that are no longer wrapped. */
  forget(): void {
    const first = this.heights.rowAt(this.offset);
    this.heights.reset();
    this.goTo(this.heights.top(first));
  }

  #clamp(): void {
    this.offset = Math.min(Math.max(this.offset, 0), this.#most);
  }
}

/** The place in a way of length `to` that a place in one of length `from` stands for. */
function between(place: number, from: number, to: number): number {
  if (from === to || place <= ENDS) return place;
  if (place >= from - ENDS) return to - (from - place);
  return ENDS + ((place - ENDS) / (from - 2 * ENDS)) * (to - 2 * ENDS);
}
