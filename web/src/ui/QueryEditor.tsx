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
import { Compartment, EditorState, Prec } from '@codemirror/state';
import { EditorView, keymap, placeholder } from '@codemirror/view';
import { parser as logql } from '@grafana/lezer-logql';
import { tags } from '@lezer/highlight';
import { useComputedColorScheme } from '@mantine/core';
import { PromQLExtension } from '@prometheus-io/codemirror-promql';
import { useEffect, useRef } from 'react';

type Props = {
  readonly language: 'promql' | 'logql';
  readonly value: string;
  readonly label: string;
  readonly hint: string;
  readonly onRun: (expr: string) => void;
};

const DARK = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: '#ca95e5' },
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
  '.cm-cursor': { borderLeftColor: 'var(--mantine-color-text)' },
  '.cm-tooltip': {
    backgroundColor: 'var(--panel)',
    color: 'var(--mantine-color-text)',
    border: '1px solid var(--panel-border)',
  },
  '.cm-tooltip-autocomplete ul li[aria-selected]': {
    background: 'var(--mantine-primary-color-filled)',
  },
  '.cm-selectionBackground, &.cm-focused .cm-selectionBackground': {
    background: 'color-mix(in srgb, var(--mantine-primary-color-filled) 30%, transparent)',
  },
});

const colours = (dark: boolean) => syntaxHighlighting(dark ? DARK : defaultHighlightStyle);

function languageOf(language: Props['language']) {
  if (language === 'logql') return LRLanguage.define({ name: 'logql', parser: logql }).extension;
  return new PromQLExtension().setComplete({ remote: { url: '' } }).asExtension();
}

export function QueryEditor({ language, value, label, hint, onRun }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | undefined>(undefined);
  const run = useRef(onRun);
  run.current = onRun;
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
          languageOf(language),
          look.current.of(colours(dark)),
          LOOK,
          keymap.of([...completionKeymap, ...historyKeymap, ...defaultKeymap]),
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
