/** The state at every point in time, a cell each; which cells there are, `state-timeline` says. */

import { useMemo } from 'react';
import type { PanelProps } from '../panel';
import { Lanes } from '../state-timeline/Lanes';
import { prepareStates } from '../state-timeline/prepare';

export function StatusHistory(props: PanelProps) {
  const states = useMemo(
    () => prepareStates(props.frames, props.range, false),
    [props.frames, props.range],
  );
  return <Lanes {...props} states={states} gap={1.5} />;
}
