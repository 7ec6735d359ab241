import { expect, it } from 'vitest';
import { Heights } from './heights';
import type { LogRow } from './prepare';
import { ELEMENT_MAX, Scroll } from './scroll';
import { rowsMoved } from './useScroll';

/** Numbers that are the same in every run. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * sides);
  };
}

it('knows where rows stand, as a plain list of heights does', () => {
  const heights = new Heights(22);
  const plain: number[] = [];
  const roll = dice(7);
  for (let turn = 0; turn < 400; turn += 1) {
    const count = roll(4) === 0 ? roll(5_000) : plain.length;
    heights.resize(count);
    while (plain.length > count) plain.pop();
    while (plain.length < count) plain.push(22);
    for (let i = 0; i < 5 && count > 0; i += 1) {
      const [row, height] = [roll(count), 10 + roll(200)];
      heights.set(row, height);
      plain[row] = height;
    }
    expect(heights.total).toBe(plain.reduce((sum, height) => sum + height, 0));
    if (count === 0) continue;
    const row = roll(count);
    const top = plain.slice(0, row).reduce((sum, height) => sum + height, 0);
    expect([heights.top(row), heights.rowAt(top), heights.rowAt(top + 9.5)]).toEqual([
      top,
      row,
      row,
    ]);
  }
  expect([heights.rowAt(-5), heights.rowAt(heights.total + 5)]).toEqual([0, heights.count - 1]);
});

/** A list as the page has it: rows of one height, an element that is scrolled. */
function page(count: number, view = 500) {
  const scroll = new Scroll(20, view);
  scroll.heights.resize(count);
  let bar = 0;
  const put = (to: number) => {
    bar = Math.min(Math.max(to, 0), Math.max(scroll.size - view, 0));
  };
  const rest = () => {
    put(scroll.settled());
    scroll.putAt(bar);
    expect(scroll.stuck).toBe(false);
  };
  return {
    scroll,
    bar: () => bar,
    by: (way: number) => {
      put(bar + way);
      scroll.scrolled(bar);
      if (scroll.stuck) rest();
    },
    rest,
    first: () => scroll.heights.rowAt(scroll.offset),
  };
}

it('scrolls a short list as the browser does', () => {
  const list = page(1_000);
  list.by(100);
  expect([list.first(), list.scroll.offset, list.scroll.shift]).toEqual([5, 100, 0]);
  list.by(15_000);
  expect([list.scroll.offset, list.scroll.shift]).toEqual([15_100, 0]);
  list.by(1_000_000);
  expect([list.scroll.offset, list.scroll.atEnd]).toEqual([19_500, true]);
});

it('reaches every row of three million, one by one and by a long way', () => {
  const list = page(3_000_000);
  expect(list.scroll.heights.total).toBe(60_000_000);
  expect(list.scroll.size).toBe(ELEMENT_MAX);
  // A short way is the same way in the list.
  list.by(40);
  expect(list.first()).toBe(2);
  for (let turn = 0; turn < 1_000; turn += 1) list.by(400);
  expect(list.scroll.offset).toBe(400_040);
  // The hand rests: the bar moves to where it belongs, and what is seen does not.
  list.rest();
  expect(list.scroll.offset).toBe(400_040);
  expect(list.bar()).toBeGreaterThan(200_000);
  expect(list.bar()).toBeLessThan(230_000);
  // A drag to the middle, and the end.
  list.by((ELEMENT_MAX - 500) / 2 - list.bar());
  expect(list.first()).toBeCloseTo(1_500_000, -2);
  list.by(ELEMENT_MAX);
  expect([list.scroll.atEnd, list.scroll.heights.rowAt(list.scroll.offset + 499)]).toEqual([
    true,
    2_999_999,
  ]);
  // Back from there, past every place where the bar has no way left.
  for (let turn = 0; turn < 2_000; turn += 1) list.by(-700);
  expect(list.scroll.offset).toBeCloseTo(59_999_500 - 1_400_000);
  for (let turn = 0; turn < 100; turn += 1) list.by(-ELEMENT_MAX);
  expect([list.scroll.offset, list.bar()]).toEqual([0, 0]);
});

it('has a way through lists that are hardly too high', () => {
  for (const more of [-300, -20, 0, 20, 300, 90_000, 420_000]) {
    const scroll = new Scroll(1, 500);
    scroll.heights.resize(ELEMENT_MAX + more);
    const most = ELEMENT_MAX + more - 500;
    for (const place of [0, 1, 2, 1_000, most / 2, most - 300, most - 2]) {
      scroll.goTo(place);
      scroll.putAt(Math.min(Math.round(scroll.settled()), scroll.size - 500));
      expect([more, place, scroll.stuck]).toEqual([more, place, false]);
    }
  }
});

it('goes on from the end of the bar when a page comes', () => {
  const list = page(1_000_000);
  list.by(ELEMENT_MAX);
  expect([list.scroll.atEnd, list.bar()]).toEqual([true, ELEMENT_MAX - 500]);
  const seen = list.first();
  list.scroll.heights.resize(1_005_000);
  expect(list.scroll.stuck).toBe(true);
  list.rest();
  expect(list.first()).toBe(seen);
  list.by(60);
  expect(list.first()).toBe(seen + 3);
});

it('keeps what is seen where it is while heights become known', () => {
  const list = page(1_000);
  list.by(5_000);
  const seen = list.scroll.offset - list.scroll.shift - list.bar();
  list.scroll.measured([
    [240, 200],
    [250, 60],
    [260, 60],
  ]);
  expect(list.first()).toBe(250);
  expect(list.scroll.heights.top(250) - list.scroll.shift - list.bar()).toBe(seen);
  list.rest();
  expect([list.first(), list.scroll.shift]).toEqual([250, 0]);
});

it('keeps the end in sight while it is followed, and leaves it to a hand', () => {
  const list = page(100);
  list.scroll.show('end');
  list.rest();
  expect(list.scroll.measured([[99, 200]])).toBe('moved');
  list.rest();
  expect(list.scroll.atEnd).toBe(true);
  list.by(-300);
  expect(list.scroll.measured([[98, 90]])).toBe('drawn');
  expect(list.scroll.atEnd).toBe(false);
});

it('lets a line at the end that is opened grow downwards', () => {
  const list = page(100);
  list.by(1_000_000);
  expect(list.scroll.measured([[99, 40]])).toBe('moved');
  list.rest();
  expect([list.scroll.atEnd, list.first()]).toEqual([true, 76]);
  expect(list.scroll.measured([[99, 240]])).toBe('drawn');
  expect([list.scroll.atEnd, list.first()]).toEqual([false, 76]);
});

it('keeps the line that is marked in the middle', () => {
  const list = page(200);
  list.scroll.show(100);
  list.scroll.measured(Array.from({ length: 40 }, (_, at) => [at + 80, 60] as const));
  const { heights, offset } = list.scroll;
  expect(heights.top(100) + 30 - offset).toBe(250);
});

it('gains rows at its start without moving those that somebody reads', () => {
  const list = page(1_000);
  list.by(3_000);
  list.scroll.measured([[160, 100]]);
  const place = list.scroll.heights.top(170) - list.scroll.offset;
  list.scroll.gained(50, true);
  expect(list.scroll.heights.count).toBe(1_050);
  expect(list.scroll.heights.height(210)).toBe(100);
  expect(list.scroll.heights.top(220) - list.scroll.offset).toBe(place);
  list.rest();
  expect(list.scroll.heights.top(220) - list.scroll.offset).toBe(place);
  // At the start the newest are shown, unless one of those below is open.
  const start = page(100);
  start.scroll.gained(5, true);
  expect(start.first()).toBe(0);
  start.scroll.gained(5, false);
  expect(start.first()).toBe(5);
});

it('knows how far the rows of a list moved', () => {
  const rows = (...keys: number[]) => keys.map((key) => ({ key: String(key) }) as LogRow);
  expect(rowsMoved(rows(1, 2, 3), rows(1, 2, 3, 4))).toBe(0);
  expect(rowsMoved(rows(1, 2, 3), rows(3, 4))).toBe(-2);
  expect(rowsMoved(rows(3, 2, 1), rows(6, 5, 4, 3, 2))).toBe(3);
  expect(rowsMoved(rows(3, 2, 1), rows(6, 5, 4))).toBeUndefined();
  expect([rowsMoved([], rows(1)), rowsMoved(rows(1), [])]).toEqual([0, 0]);
});

it('loses rows at its start without moving the others', () => {
  const list = page(1_000);
  list.by(3_000);
  list.scroll.measured([[160, 100]]);
  const place = list.scroll.heights.top(170) - list.scroll.offset;
  list.scroll.dropped(50);
  expect(list.scroll.heights.count).toBe(950);
  expect(list.scroll.heights.height(110)).toBe(100);
  expect(list.scroll.heights.top(120) - list.scroll.offset).toBe(place);
});
