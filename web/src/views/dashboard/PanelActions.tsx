/** What can be done with a panel: from its menu, and by keys while the pointer is over it. */

import { Menu } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import type { RefObject } from 'react';
import { useLocation } from 'wouter';
import { findLogs } from '../../dashboard/findRelated';
import type { PanelFrames } from '../../dashboard/usePanelFrames';
import { exploreUrl } from '../../lib/explore-url';
import { picture } from '../../lib/picture';
import { save } from '../../lib/save';
import { usePageTime } from '../../ui/time';

type Parts = {
  readonly title: string;
  readonly data: PanelFrames;
  readonly section: RefObject<HTMLElement | null>;
  readonly inspect: () => void;
  /** Nothing where the file does not have the panel by its id. */
  readonly edit: (() => void) | undefined;
  readonly view: () => void;
};

export type Actions = {
  readonly inspect: () => void;
  readonly edit: (() => void) | undefined;
  readonly explore: (() => void) | undefined;
  readonly logs: (() => void) | undefined;
  readonly picture: () => void;
};

export function usePanelActions({ title, data, section, inspect, edit, view }: Parts): Actions {
  const [, go] = useLocation();
  const { raw, range } = usePageTime();
  const [first] = data.requests;
  const kind = first?.kind === 'loki' ? ('logs' as const) : ('metrics' as const);
  const exprs = [
    ...new Set(data.requests.filter((r) => r.kind === first?.kind).map((r) => r.expr)),
  ];
  const explore = first === undefined ? undefined : () => go(exploreUrl({ kind, exprs, ...raw }));
  const openLogs = async () => {
    const series = data.frames.flatMap((f) =>
      f.fields.flatMap((x) => (x.labels === undefined ? [] : [x.labels])),
    );
    const expr = await findLogs(exprs, series, range).catch(() => '{service_name=~".+"}');
    go(exploreUrl({ kind: 'logs', exprs: [expr], ...raw }));
  };
  const paint = async () => {
    if (section.current === null) return;
    save(`${title === '' ? 'panel' : title}.png`, await picture(section.current), 'image/png');
  };
  const here = (act: (() => void) | undefined) => () => {
    if (section.current?.matches(':hover, :focus-within')) act?.();
  };
  useHotkeys([
    ['v', here(view)],
    ['e', here(edit)],
    ['i', here(inspect)],
    ['x', here(explore)],
  ]);
  return {
    inspect,
    edit,
    explore,
    logs: first?.kind === 'prometheus' ? () => void openLogs() : undefined,
    picture: () => void paint(),
  };
}

export function PanelActions({ inspect, edit, explore, logs, picture: paint }: Actions) {
  return (
    <>
      <Menu.Item onClick={inspect}>Inspect</Menu.Item>
      {explore !== undefined && <Menu.Item onClick={explore}>Explore</Menu.Item>}
      {logs !== undefined && <Menu.Item onClick={logs}>Logs of these</Menu.Item>}
      {edit !== undefined && <Menu.Item onClick={edit}>Edit</Menu.Item>}
      <Menu.Item onClick={paint}>Download as PNG</Menu.Item>
    </>
  );
}
