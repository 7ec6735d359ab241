/** The events of the dashboard's annotations as a list, the newest first. */

import { Badge, Center, Text } from '@mantine/core';
import { useEvents } from '../../dashboard/annotations/useEvents';
import { instant } from '../../dashboard/units/time';
import { cssColor } from '../../lib/color';
import { numeric } from '../../lib/json';
import type { PanelProps } from '../panel';
import './annolist.css';

/** Events shown where the panel does not say how many. */
const SHOWN = 10;
const AROUND_MS = 10 * 60_000;

export function AnnoList({ panel, zone, onZoom }: PanelProps) {
  const { events, switches } = useEvents();
  const time = instant('iso', zone);
  const shown = [...events].reverse().slice(0, numeric(panel.options, 'limit') ?? SHOWN);
  if (shown.length === 0) {
    return (
      <Center h="100%" p="sm">
        <Text size="sm" ta="center" className="faint">
          {switches.length === 0
            ? 'This dashboard has no annotations from queries; the server stores none of its own.'
            : 'No events in this range.'}
        </Text>
      </Center>
    );
  }
  return (
    <ul className="annolist">
      {shown.map((event, at) => (
        <li key={at}>
          <button
            type="button"
            title="Show the time around it"
            onClick={() => onZoom({ from: event.from - AROUND_MS, to: event.to + AROUND_MS })}
          >
            <i style={{ background: cssColor(event.color) }} />
            <span>
              <bdi>{event.title}</bdi>
              <span className="faint"> {time(event.from).text}</span>
              {event.text !== '' && <bdi className="faint annolist-text">{event.text}</bdi>}
              {event.tags.map((tag) => (
                <Badge key={tag} size="xs" variant="light" tt="none" mr={4}>
                  {tag}
                </Badge>
              ))}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
