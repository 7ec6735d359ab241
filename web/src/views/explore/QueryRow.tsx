/** One expression being written; the editor is loaded when one comes here. */

import { ActionIcon, Tooltip } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { onDemand } from '../../ui/onDemand';
import { usePageTime } from '../../ui/time';

const QueryEditor = onDemand(
  () => import('../../ui/editor/QueryEditor').then((m) => m.QueryEditor),
  <div className="query-editor" style={{ height: 36 }} />,
);

type Props = {
  readonly language: 'promql' | 'logql';
  readonly value: string;
  readonly hint: string;
  /** Of several expressions, the letter of this one. */
  readonly letter: string | undefined;
  readonly onRun: (expr: string) => void;
  readonly onChange: (expr: string) => void;
  readonly onRemove: (() => void) | undefined;
};

export function QueryRow(props: Props) {
  const { language, value, hint, letter, onRun, onChange, onRemove } = props;
  const { range } = usePageTime();
  const name = language === 'promql' ? 'PromQL' : 'LogQL';
  const which = letter === undefined || letter === 'A' ? '' : ` ${letter}`;
  return (
    <div className="query-row">
      {letter !== undefined && <span className="query-letter">{letter}</span>}
      <QueryEditor
        language={language}
        value={value}
        label={`Expression${which} in ${name}`}
        hint={hint}
        onRun={onRun}
        onChange={onChange}
        range={range}
      />
      {onRemove !== undefined && (
        <Tooltip label="Remove this expression">
          <ActionIcon
            variant="subtle"
            color="gray"
            h={36}
            aria-label={`Remove expression ${letter ?? ''}`}
            onClick={onRemove}
          >
            <IconTrash size={16} />
          </ActionIcon>
        </Tooltip>
      )}
    </div>
  );
}
