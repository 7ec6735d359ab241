/**
 * Transformations by their ids: frames in, frames out, nothing changed in place.
 *
 * One function each, in the files beside this one; the next one is one file and one line here, and
 * its id in `schema/panel.ts`.
 */

import type { Frame } from '../../frame/frame';
import type { Json } from '../../lib/json';
import type { Transformation } from '../schema/model';
import { calculateField } from './calculate-field';
import { configFromData } from './config-from-data';
import { extractFields } from './extract-fields';
import { filterByRefId, filterByValue, filterFieldsByName } from './filter';
import { groupBy } from './group-by';
import { concatenate, joinByField, merge, seriesToRows } from './join';
import { labelsToFields } from './labels-to-fields';
import { convertFieldType, limit, organize, renameByRegex, sortBy } from './organize';
import { reduce } from './reduce';

export type Transform = (frames: readonly Frame[], options: Json) => readonly Frame[];

const TRANSFORMS: Readonly<Record<string, Transform>> = {
  calculateField,
  concatenate,
  configFromData,
  convertFieldType,
  extractFields,
  filterByRefId,
  filterByValue,
  filterFieldsByName,
  groupBy,
  joinByField,
  labelsToFields,
  limit,
  merge,
  organize,
  reduce,
  renameByRegex,
  seriesToColumns: joinByField,
  seriesToRows,
  sortBy,
};

/** Carries out the transformations in order; one with a filter leaves other queries' frames alone. */
export function transform(
  frames: readonly Frame[],
  all: readonly Transformation[],
): readonly Frame[] {
  let now = frames;
  for (const { id, options, filter } of all) {
    const of = TRANSFORMS[id];
    if (of === undefined) continue;
    if (filter === undefined || filter === '') {
      now = of(now, options);
    } else {
      const chosen = (f: Frame) =>
        new RegExp(`^(?:${filter.replace(/^\/|\/$/g, '')})$`).test(f.refId ?? '');
      now = [...of(now.filter(chosen), options), ...now.filter((f) => !chosen(f))];
    }
  }
  return now;
}

export const TRANSFORM_IDS: readonly string[] = Object.keys(TRANSFORMS);
