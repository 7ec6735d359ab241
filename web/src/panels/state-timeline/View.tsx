/** States over time, equal neighbours joined. */

import { useMemo } from 'react';
import type { PanelProps } from '../panel';
import { Lanes } from './Lanes';
import { prepareStates } from './prepare';

export function StateTimeline(props: PanelProps) {
  const merge = props.panel.options.mergeValues !== false;
  const states = useMemo(
    () => prepareStates(props.frames, props.range, merge),
    [props.frames, props.range, merge],
  );
  return <Lanes {...props} states={states} gap={0.5} />;
}
