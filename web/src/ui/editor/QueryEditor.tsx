/** Where an expression is written: Enter runs it, Shift+Enter breaks the line, names are completed. */

import { autocompletion, closeBrackets, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import {
  bracketMatching,
  defaultHighlightStyle,
  HighlightStyle,
  LRLanguage,
  syntaxHighlighting,
} from '@codemirror/language';
import { lintKeymap } from '@codemirror/lint';
import { Compartment, EditorState, type Extension, Prec } from '@codemirror/state';
import { EditorView, keymap, placeholder } from '@codemirror/view';
import { parser as logql } from '@grafana/lezer-logql';
import { styleTags, tags } from '@lezer/highlight';
import { useComputedColorScheme } from '@mantine/core';
import { PromQLExtension } from '@prometheus-io/codemirror-promql';
import { useEffect, useRef } from 'react';
import type { TimeRange } from '../../lib/time/relative';
import { meanings } from './hover';
import { errors } from './lint';
import { logqlCompletion } from './logql-complete';

type Props = {
  readonly language: 'promql' | 'logql';
  readonly value: string;
  readonly label: string;
  readonly hint: string;
  readonly onRun: (expr: string) => void;
  /** What stands in the editor now, run or not. */
  readonly onChange?: (expr: string) => void;
  /** In which time names are completed. */
  readonly range?: TimeRange;
};

const DARK = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: '#ca95e5' },
  { tag: [tags.lineComment, tags.comment], color: '#8f98a6' },
  { tag: [tags.string, tags.special(tags.string)], color: '#96d98d' },
  { tag: [tags.number, tags.literal], color: '#ffb357' },
  { tag: [tags.labelName, tags.attributeName], color: '#8ab8ff' },
  { tag: [tags.function(tags.variableName)], color: '#6ed0e0' },
  { tag: tags.invalid, color: '#ff7383' },
]);

const LOOK = EditorView.theme({
  '&': { backgroundColor: 'var(--panel)', color: 'inherit', fontSize: '13px' },
  '&.cm-focused': { outline: '2px solid var(--mantine-primary-color-filled)' },
  '.cm-content': {
    fontFamily: 'var(--mantine-font-family-monospace)',
    caretColor: 'var(--mantine-color-text)',
    padding: '7px 4px',
  },
  '.cm-placeholder': { color: 'var(--faint)' },
  '.cm-cursor': { borderLeftColor: 'var(--mantine-color-text)' },
  '.cm-tooltip': {
    backgroundColor: 'var(--panel)',
    color: 'var(--mantine-color-text)',
    border: '1px solid var(--panel-border)',
  },
  '.cm-tooltip-autocomplete ul li[aria-selected]': {
    background: 'var(--mantine-primary-color-filled)',
    color: '#fff',
  },
  '.cm-tooltip.cm-completionInfo': { padding: '4px 10px', maxWidth: '360px' },
  // On a narrow screen it would lie over the choices.
  '@media (max-width: 48em)': { '.cm-tooltip.cm-completionInfo': { display: 'none' } },
  '.editor-meaning': { padding: '5px 10px', maxWidth: '460px', whiteSpace: 'pre-wrap' },
  '.cm-diagnostic': { padding: '4px 10px' },
  // A wave of its own: the usual one is an image in a `data:` address, which the policy refuses.
  '.cm-lintRange-error': {
    backgroundImage: 'none',
    textDecoration: 'underline wavy var(--mantine-color-red-filled) 1px',
    textUnderlineOffset: '3px',
  },
  '.cm-selectionBackground, &.cm-focused .cm-selectionBackground': {
    background: 'color-mix(in srgb, var(--mantine-primary-color-filled) 30%, transparent)',
  },
});

const colours = (dark: boolean) => syntaxHighlighting(dark ? DARK : defaultHighlightStyle);

/** The grammar comes without colours; these give its words what PromQL's have. */
const LOGQL = LRLanguage.define({
  name: 'logql',
  parser: logql.configure({
    props: [
      styleTags({
        Identifier: tags.labelName,
        LabelName: tags.labelName,
        String: tags.string,
        'Number Duration Bytes': tags.number,
        LineComment: tags.lineComment,
        'RangeOp/... VectorOp/... ConvOp/...': tags.function(tags.variableName),
        'LabelReplace Vector': tags.function(tags.variableName),
        'Json Logfmt Unpack Pattern Regexp Unwrap LabelFormat LineFormat Decolorize Drop Keep':
          tags.keyword,
        'By Without On Ignoring GroupLeft GroupRight Bool Offset And Or Unless': tags.modifier,
        'PipeExact PipeMatch PipePattern Pipe Eq Neq Re Nre Npa': tags.operator,
        '⚠': tags.invalid,
      }),
    ],
  }),
});

function languageOf(language: Props['language'], range: () => TimeRange): Extension {
  if (language === 'logql')
    return [LOGQL, LOGQL.data.of({ autocomplete: logqlCompletion(range), closeBrackets: PAIRS })];
  // The server reads expressions itself, see `lint.ts`.
  return new PromQLExtension()
    .activateLinter(false)
    .setComplete({ remote: { url: '' } })
    .asExtension();
}

const PAIRS = { brackets: ['(', '[', '{', '"', '`'] };
/** Without a page's range: as far back as names are usually of use. */
const HOURS = 6 * 3_600_000;

export function QueryEditor({ language, value, label, hint, onRun, onChange, range }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | undefined>(undefined);
  const run = useRef(onRun);
  run.current = onRun;
  const change = useRef(onChange);
  change.current = onChange;
  const names = useRef(range);
  names.current = range;
  const dark = useComputedColorScheme('light') === 'dark';
  const look = useRef(new Compartment());

  // biome-ignore lint/correctness/useExhaustiveDependencies: the editor is made once; value and colours are sent to it below.
  useEffect(() => {
    if (host.current === null) return;
    const runs = (of: EditorView) => {
      run.current(of.state.doc.toString());
      return true;
    };
    const editor = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: value,
        extensions: [
          history(),
          closeBrackets(),
          bracketMatching(),
          autocompletion(),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ 'aria-label': label }),
          placeholder(hint),
          languageOf(language, () => names.current ?? { from: Date.now() - HOURS, to: Date.now() }),
          errors(language),
          meanings(language),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) change.current?.(update.state.doc.toString());
          }),
          look.current.of(colours(dark)),
          LOOK,
          keymap.of([...lintKeymap, ...historyKeymap, ...defaultKeymap]),
          // Above the plain line break, below the choice of a completion.
          Prec.high(keymap.of([...completionKeymap, { key: 'Enter', run: runs }])),
        ],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
  }, [language]);

  useEffect(() => {
    view.current?.dispatch({ effects: look.current.reconfigure(colours(dark)) });
  }, [dark]);

  useEffect(() => {
    const editor = view.current;
    const now = editor?.state.doc.toString();
    if (editor === undefined || now === undefined || now === value) return;
    editor.dispatch({ changes: { from: 0, to: now.length, insert: value } });
  }, [value]);

  return <div ref={host} className="query-editor" />;
}
