/** What every panel type is: a name and a component that draws frames. */

import type { ComponentType } from 'react';
import type { Exemplar } from '../api/prometheus';
import type { Panel } from '../dashboard/schema/model';
import type { Frame } from '../frame/frame';
import type { Zone } from '../lib/time/calendar';
import type { TimeRange } from '../lib/time/relative';

export type PanelProps = {
  readonly panel: Panel;
  /** Transformed, with field options applied. */
  readonly frames: readonly Frame[];
  readonly width: number;
  readonly height: number;
  readonly range: TimeRange;
  readonly zone: Zone;
  readonly dark: boolean;
  /** Writes variables and `${__value…}` into a text, such as a link. */
  readonly interpolate: (template: string) => string;
  readonly onZoom: (range: TimeRange) => void;
  /** Where the crosshair of another panel stands; same key, same crosshair. */
  readonly crosshair?: string | undefined;
  /** Measurements that stand for others, to be drawn over the series. */
  readonly exemplars?: readonly Exemplar[];
};

export type PanelType = {
  readonly id: string;
  readonly View: ComponentType<PanelProps>;
  /** Draws without any data, such as a text. */
  readonly needsNoData?: boolean;
};
