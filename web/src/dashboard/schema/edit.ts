/** Changes to the file of a dashboard, which stays Grafana's: nothing that is not understood is lost. Pure. */

import { isObject, type Json, objects } from '../../lib/json';

/** The dashboard in an answer of the API, or the file itself. */
export function fileOf(answer: unknown): Json | undefined {
  if (!isObject(answer)) return undefined;
  return isObject(answer.dashboard) && !('panels' in answer) ? answer.dashboard : answer;
}

/** The panel of this id as it stands in the file, also within rows. */
export function panelIn(file: Json, id: number): Json | undefined {
  for (const list of [objects(file, 'panels'), objects(file, 'rows')]) {
    for (const one of list) {
      if (one.id === id && one.type !== undefined) return one;
      const inside = panelIn(one, id);
      if (inside !== undefined) return inside;
    }
  }
  return undefined;
}

/** The file with another panel in the place of the one of this id. */
export function withPanel(file: Json, id: number, panel: Json): Json {
  const swap = (list: unknown): unknown =>
    Array.isArray(list)
      ? list.map((one: unknown) => {
          if (!isObject(one)) return one;
          return one.id === id && one.type !== undefined ? panel : withPanel(one, id, panel);
        })
      : list;
  return {
    ...file,
    ...('panels' in file ? { panels: swap(file.panels) } : {}),
    ...('rows' in file ? { rows: swap(file.rows) } : {}),
  };
}

/** A copy that is saved beside the original. */
export function copyOf(file: Json, title: string): Json {
  const { id: _id, uid: _uid, version: _version, ...rest } = file;
  return { ...rest, title };
}

/** The panel with another expression in one of its queries. */
export function withTarget(panel: Json, at: number, change: Json): Json {
  return {
    ...panel,
    targets: objects(panel, 'targets').map((target, i) =>
      i === at ? { ...target, ...change } : target,
    ),
  };
}
