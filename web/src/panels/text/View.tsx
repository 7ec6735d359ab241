/** Markdown, sanitised; or text as it is. */

import { Typography } from '@mantine/core';
import DOMPurify from 'dompurify';
import { marked } from 'marked';
import { useMemo } from 'react';
import { text } from '../../lib/json';
import type { PanelProps } from '../panel';

/** Elements and attributes that a text may bring: no scripts, no frames, no forms, no styles. */
const CLEAN = {
  USE_PROFILES: { html: true },
  FORBID_TAGS: [
    'style',
    'form',
    'input',
    'button',
    'textarea',
    'select',
    'iframe',
    'object',
    'embed',
    'video',
    'audio',
  ],
  FORBID_ATTR: ['style', 'id', 'name', 'srcset'],
};

export function TextPanel({ panel, interpolate }: PanelProps) {
  const mode = text(panel.options, 'mode') ?? 'markdown';
  const content = interpolate(text(panel.options, 'content') ?? '');
  const html = useMemo(() => {
    if (mode === 'code') return undefined;
    return DOMPurify.sanitize(
      mode === 'html' ? content : marked.parse(content, { async: false, gfm: true }),
      CLEAN,
    );
  }, [mode, content]);
  if (html === undefined)
    return <pre style={{ margin: 0, padding: 8, overflow: 'auto', height: '100%' }}>{content}</pre>;
  return (
    <Typography p="xs" style={{ overflow: 'auto', height: '100%' }}>
      <div dangerouslySetInnerHTML={{ __html: html }} />
    </Typography>
  );
}
