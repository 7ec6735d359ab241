/** A new column from others: of the row, of two columns, of one column, or the row's number. */

import { displayName, type Field, type Frame, field, frame } from '../../frame/frame';
import { flag, isObject, type Json, numeric, object, text, texts } from '../../lib/json';
import { reduceValues } from '../fields/reduce';
import { joinByField } from './join';

export function calculateField(frames: readonly Frame[], options: Json): readonly Frame[] {
  const alias = text(options, 'alias');
  const tables = asColumns(frames);
  return tables.map((f) => {
    const [values, name] = columnOf(f, tables, options);
    if (values === undefined) return f;
    const added = field(alias === undefined || alias === '' ? name : alias, 'number', values);
    if (!flag(options, 'replaceFields')) return frame([...f.fields, added], f);
    return frame([...f.fields.filter((x) => x.type === 'time'), added], f);
  });
}

/** Series of one time column each become one table, so that a row has the values of all. */
function asColumns(frames: readonly Frame[]): readonly Frame[] {
  const series = frames.every((f) => f.fields.filter((x) => x.type === 'time').length === 1);
  return frames.length > 1 && series ? joinByField(frames, {}) : frames;
}

const OPERATORS: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '**': (a, b) => a ** b,
};

const UNARY: Readonly<Record<string, (a: number) => number>> = {
  abs: Math.abs,
  exp: Math.exp,
  ln: Math.log,
  floor: Math.floor,
  ceil: Math.ceil,
  round: Math.round,
};

function columnOf(
  f: Frame,
  frames: readonly Frame[],
  options: Json,
): [unknown[] | undefined, string] {
  const named = (name: string) =>
    f.fields.find((x) => displayName(x, frames) === name || x.name === name);
  const rows = Array.from({ length: f.length }, (_, at) => at);
  switch (text(options, 'mode') ?? 'reduceRow') {
    case 'binary': {
      const binary = object(options, 'binary');
      const left = operand(binary.left, named);
      const right = operand(binary.right, named);
      const operator = text(binary, 'operator') ?? text(binary, 'reducer') ?? '+';
      const of = OPERATORS[operator];
      if (left === undefined || right === undefined || of === undefined) return [undefined, ''];
      return [
        rows.map((row) => whenNumbers(left.at(row), right.at(row), of)),
        `${left.name} ${operator} ${right.name}`,
      ];
    }
    case 'unary': {
      const unary = object(options, 'unary');
      const of = named(text(unary, 'fieldName') ?? '');
      const operator = text(unary, 'operator') ?? 'abs';
      const apply = UNARY[operator];
      if (of === undefined || apply === undefined) return [undefined, ''];
      return [
        of.values.map((v) => (typeof v === 'number' ? apply(v) : null)),
        `${operator}(${of.name})`,
      ];
    }
    case 'index':
      return [
        flag(object(options, 'index'), 'asPercentile')
          ? rows.map((r) => r / Math.max(f.length, 1))
          : rows,
        'Row',
      ];
    case 'cumulativeFunctions': {
      const cumulative = object(options, 'cumulative');
      const of =
        named(text(cumulative, 'field') ?? '') ?? f.fields.find((x) => x.type === 'number');
      if (of === undefined) return [undefined, ''];
      const id = text(cumulative, 'reducer') ?? 'sum';
      let sum = 0;
      const totals = of.values.map((v, at) => {
        sum += typeof v === 'number' ? v : 0;
        return id === 'mean' ? sum / (at + 1) : sum;
      });
      return [totals, `cumulative ${id}(${of.name})`];
    }
    case 'windowFunctions': {
      const window = object(options, 'window');
      const of = named(text(window, 'field') ?? '') ?? f.fields.find((x) => x.type === 'number');
      if (of === undefined) return [undefined, ''];
      const id = text(window, 'reducer') ?? 'mean';
      const size = numeric(window, 'windowSize') ?? 0.1;
      const share = text(window, 'windowSizeMode') !== 'fixed';
      const rows = Math.max(Math.round(share ? size * f.length : size), 1);
      const trailing = text(window, 'windowAlignment') !== 'centered';
      const values = of.values.map((_, at) => {
        const from = trailing ? at - rows + 1 : at - Math.floor(rows / 2);
        return reduceValues(of.values.slice(Math.max(from, 0), Math.max(from + rows, 0)), id);
      });
      return [values, `${trailing ? 'Trailing' : 'Centered'} moving ${id}(${of.name})`];
    }
    default: {
      const row = object(options, 'reduce');
      const id = text(row, 'reducer') ?? 'sum';
      const wanted = texts(row, 'include');
      const of = f.fields.filter(
        (x) =>
          x.type === 'number' &&
          (wanted.length === 0 ||
            wanted.includes(displayName(x, frames)) ||
            wanted.includes(x.name)),
      );
      return [
        rows.map((at) =>
          reduceValues(
            of.map((x) => x.values[at]),
            id,
          ),
        ),
        id === 'sum' ? 'Total' : id,
      ];
    }
  }
}

function operand(of: unknown, named: (name: string) => Field | undefined) {
  const matcher = isObject(of) && isObject(of.matcher) ? text(of.matcher, 'options') : undefined;
  const fixed = isObject(of) ? text(of, 'fixed') : undefined;
  const name = matcher ?? fixed ?? (typeof of === 'string' ? of : '');
  const column = named(name);
  if (column !== undefined) return { name, at: (row: number) => column.values[row] };
  const number = Number(name);
  return name.trim() === '' || Number.isNaN(number) ? undefined : { name, at: () => number };
}

function whenNumbers(a: unknown, b: unknown, of: (a: number, b: number) => number): number | null {
  return typeof a === 'number' && typeof b === 'number' ? of(a, b) : null;
}
