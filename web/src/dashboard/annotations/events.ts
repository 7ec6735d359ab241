/** From the answer of an annotation's query to events of a time or of a span. Pure. */

import type { LogLine } from '../../api/loki';
import { type Frame, field, fillLabels, formatLabels, type Labels } from '../../frame/frame';
import type { Annotation } from '../schema/model';

export type Event = {
  readonly from: number;
  /** After `from` only where the event lasted. */
  readonly to: number;
  readonly name: string;
  readonly title: string;
  readonly text: string;
  readonly tags: readonly string[];
  readonly color: string;
};

/** More events of one annotation say nothing that fewer do not. */
export const EVENTS_MAX = 500;

/** Times at which a series is above 0; steps that follow each other are one event. */
export function metricEvents(
  annotation: Annotation,
  frames: readonly Frame[],
  stepMs: number,
): readonly Event[] {
  return frames
    .flatMap((frame) => {
      const [time, value] = frame.fields;
      if (time === undefined || value === undefined) return [];
      const labels = value.labels ?? {};
      const spans: { from: number; to: number }[] = [];
      time.values.forEach((at, row) => {
        if (typeof at !== 'number' || !(Number(value.values[row]) > 0)) return;
        const last = spans.at(-1);
        if (last !== undefined && at - last.to <= stepMs) last.to = at;
        else spans.push({ from: at, to: at });
      });
      return spans.map((span) => event(annotation, span, labels, formatLabels(labels)));
    })
    .slice(0, EVENTS_MAX);
}

export function lineEvents(annotation: Annotation, lines: readonly LogLine[]): readonly Event[] {
  return lines.slice(0, EVENTS_MAX).map((line) => {
    const labels = { ...line.stream, ...line.metadata, ...line.parsed };
    return event(annotation, { from: line.ms, to: line.ms }, labels, line.line.slice(0, 500));
  });
}

function event(
  annotation: Annotation,
  span: { from: number; to: number },
  labels: Labels,
  plain: string,
): Event {
  const of = field('Value', 'number', [], { labels });
  const written = (format: string | undefined) =>
    format === undefined || format === '' ? undefined : fillLabels(format, of);
  return {
    ...span,
    name: annotation.name,
    title: written(annotation.titleFormat) ?? annotation.name,
    text: written(annotation.textFormat) ?? plain,
    tags: (annotation.tagKeys ?? '')
      .split(',')
      .map((key) => labels[key.trim()] ?? '')
      .filter((tag) => tag !== ''),
    color: annotation.color,
  };
}
