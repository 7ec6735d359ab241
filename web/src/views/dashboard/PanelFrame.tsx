/** The frame of a panel: title, state of its data, menu; inside it the panel's own view. */

import { Center, Group, Loader, Menu, Text, Tooltip, useComputedColorScheme } from '@mantine/core';
import { useInViewport, useMergedRef } from '@mantine/hooks';
import { IconAlertTriangle, IconInfoCircle } from '@tabler/icons-react';
import {
  Component,
  memo,
  type ReactNode,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { type Placed, within } from '../../dashboard/layout/repeat';
import { type Environment, type Values, writeText } from '../../dashboard/run';
import { panelIn, withPanel } from '../../dashboard/schema/edit';
import type { Dashboard } from '../../dashboard/schema/model';
import { useExemplars } from '../../dashboard/useExemplars';
import { usePanelFrames } from '../../dashboard/usePanelFrames';
import { interpolate } from '../../dashboard/variables/interpolate';
import { safeUrl } from '../../lib/link';
import type { RawRange } from '../../lib/time/relative';
import { useUrl } from '../../lib/url-state';
import { panelType } from '../../panels/registry';
import { onDemand } from '../../ui/onDemand';
import { usePageTime } from '../../ui/time';
import type { DashboardFile } from './FileMenu';
import { PanelActions, usePanelActions } from './PanelActions';
import { PanelMenu } from './PanelMenu';

const EditPanel = onDemand(() => import('./EditPanel').then((m) => m.EditPanel));
const Inspect = onDemand(() => import('./Inspect').then((m) => m.Inspect));

type Props = {
  readonly placed: Placed;
  readonly values: Values;
  readonly width: number;
  readonly height: number;
  readonly crosshair: string | undefined;
  readonly dashboard: Dashboard;
  readonly file: DashboardFile;
};

const NONE: ReadonlySet<string> = new Set();

const HEAD = 30;

export const PanelFrame = memo(function PanelFrame(props: Props) {
  const { placed, width, height, crosshair, dashboard, file } = props;
  const values = useMemo(() => within(props.values, placed.fixed), [props.values, placed.fixed]);
  const { panel } = placed;
  const { ref, inViewport } = useInViewport();
  // Once seen, a panel keeps up with every refresh; before, it asks for nothing.
  const seen = useRef(false);
  const section = useRef<HTMLElement | null>(null);
  if (inViewport) seen.current = true;
  // What is in sight from the start need not wait for the observer's turn.
  const [, begin] = useState(false);
  useLayoutEffect(() => {
    const top = section.current?.getBoundingClientRect().top ?? Number.POSITIVE_INFINITY;
    if (seen.current || top >= window.innerHeight) return;
    seen.current = true;
    begin(true);
  }, []);
  const { raw, range, zone, setRange } = usePageTime();
  const [params, setUrl] = useUrl();
  const dark = useComputedColorScheme('light') === 'dark';
  const [inspecting, setInspecting] = useState(false);
  const [editing, setEditing] = useState(false);
  const menu = useRef<HTMLButtonElement>(null);
  const dialog = inspecting || editing;
  const had = useRef(false);
  useEffect(() => {
    if (had.current && !dialog) menu.current?.focus();
    had.current = dialog;
  }, [dialog]);
  const places = useMergedRef<HTMLElement>(ref, section);
  const type = panelType(panel.type);
  // Widths are rounded so that a moving window does not ask anew at every pixel.
  const points = Math.max(Math.round(width / 50) * 50, 100);
  const environment = useMemo<Environment>(
    () => ({ range, zone, values, points, scrapeMs: 15_000 }),
    [range, zone, values, points],
  );
  const data = usePanelFrames(panel, environment, seen.current && type.needsNoData !== true);
  const letters = useMemo(() => {
    const of = panel.type === 'timeseries' ? panel.targets.filter((t) => t.exemplar) : [];
    return of.length === 0 ? NONE : new Set(of.map((t) => t.refId));
  }, [panel]);
  const exemplars = useExemplars(seen.current ? data.requests : [], letters);
  const written = useMemo(() => panelIn(file.json, panel.id), [file.json, panel.id]);
  const write = (text: string) => writeText(withAddress(text, raw, dashboard, values), environment);
  const title = write(panel.title);
  const head = title !== '' || panel.links.length > 0 || !panel.transparent;
  const [innerWidth, innerHeight] = [width - 18, height - 8 - (head ? HEAD : 4)];
  const empty = type.needsNoData !== true && data.frames.every((f) => f.length === 0);
  const viewing = params.get('viewPanel') !== null;
  const view = () => setUrl({ viewPanel: viewing ? undefined : placed.key });
  const actions = usePanelActions({
    title,
    data,
    section,
    inspect: () => setInspecting(true),
    edit: written === undefined ? undefined : () => setEditing(true),
    view,
  });
  return (
    <section
      ref={places}
      className="panel"
      data-transparent={panel.transparent}
      style={{ width, height }}
      aria-label={title === '' ? panel.type : title}
    >
      {head && (
        <header className="panel-head">
          <h2 className="cut" title={title}>
            {title}
          </h2>
          {panel.description !== undefined && (
            <Tooltip label={write(panel.description)} multiline maw={360}>
              <IconInfoCircle size={15} className="faint" aria-label="Description" role="img" />
            </Tooltip>
          )}
          {data.error !== undefined && (
            <Tooltip label={data.error} multiline maw={480}>
              <IconAlertTriangle
                size={16}
                color="var(--mantine-color-red-6)"
                aria-label={`Error: ${data.error}`}
                role="img"
              />
            </Tooltip>
          )}
          {data.notices.length > 0 && (
            <Tooltip label={[...new Set(data.notices)].slice(0, 5).join('\n')} multiline maw={480}>
              <IconAlertTriangle
                size={16}
                color="var(--mantine-color-yellow-6)"
                aria-label="Notices"
                role="img"
              />
            </Tooltip>
          )}
          <Group gap={2} ml="auto" wrap="nowrap" data-no-picture="">
            {data.loading && <Loader size={12} aria-label="Loading" />}
            <PanelMenu button={menu} label={`Menu of ${title === '' ? 'the panel' : title}`}>
              <Menu.Item onClick={view}>{viewing ? 'Back' : 'View alone'}</Menu.Item>
              <PanelActions {...actions} />
              {panel.links.map((link) => (
                <Menu.Item
                  key={link.url + link.title}
                  component="a"
                  href={safeUrl(write(link.url))}
                  {...(link.newTab ? { target: '_blank', rel: 'noreferrer' } : {})}
                >
                  {write(link.title) || link.url}
                </Menu.Item>
              ))}
            </PanelMenu>
          </Group>
        </header>
      )}
      <div className="panel-body">
        {data.error !== undefined && data.frames.length === 0 ? (
          <Message>{data.error}</Message>
        ) : empty && !data.loading ? (
          <Message>{panel.defaults.noValue ?? 'No data'}</Message>
        ) : empty ? null : (
          <Guard of={data.frames}>
            <type.View
              panel={panel}
              frames={data.frames}
              width={Math.max(innerWidth, 40)}
              height={Math.max(innerHeight, 20)}
              range={range}
              zone={zone}
              dark={dark}
              interpolate={write}
              onZoom={(to) => setRange({ from: String(to.from), to: String(to.to) })}
              crosshair={crosshair}
              exemplars={exemplars}
            />
          </Guard>
        )}
      </div>
      {editing && written !== undefined && (
        <EditPanel
          panel={written}
          kindOf={(at) => panel.targets[at]?.source.kind}
          onApply={(next) => {
            setEditing(false);
            file.change(withPanel(file.json, panel.id, next));
          }}
          onClose={() => setEditing(false)}
        />
      )}
      {inspecting && (
        <Inspect title={title} data={data} panel={panel} onClose={() => setInspecting(false)} />
      )}
    </section>
  );
});

/** Writes the range and the variables of the page into an address that asks for all of them. */
function withAddress(text: string, raw: RawRange, dashboard: Dashboard, values: Values): string {
  if (!text.includes('__url_time_range') && !text.includes('__all_variables')) return text;
  const range = new URLSearchParams({ from: raw.from, to: raw.to }).toString();
  const names = dashboard.variables.map(({ name }) => `\${${name}:queryparam}`).join('&');
  return text
    .replace(/\$\{__url_time_range\}|\$__url_time_range\b/g, () => range)
    .replace(/\$\{__all_variables\}|\$__all_variables\b/g, () =>
      interpolate(names, { lookup: values }),
    );
}

function Message({ children }: { children: string }) {
  return (
    <Center h="100%">
      <Text
        size="sm"
        ta="center"
        className="faint"
        style={{ overflowWrap: 'anywhere', maxHeight: '100%', overflow: 'auto' }}
      >
        {children}
      </Text>
    </Center>
  );
}

type GuardProps = { readonly of: unknown; readonly children: ReactNode };

/** A fault while drawing one panel stays in that panel; new data are a new try. */
class Guard extends Component<GuardProps, { error: string | undefined }> {
  override state = { error: undefined as string | undefined };
  static getDerivedStateFromError(error: unknown) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
  override componentDidUpdate(before: GuardProps) {
    if (before.of !== this.props.of && this.state.error !== undefined)
      this.setState({ error: undefined });
  }
  override render() {
    return this.state.error === undefined ? (
      this.props.children
    ) : (
      <Message>{`This panel could not be drawn: ${this.state.error}`}</Message>
    );
  }
}
