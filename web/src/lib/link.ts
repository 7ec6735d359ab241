/** Addresses that come from a dashboard or a log line: only the web's own kinds are followed. */

export function safeUrl(url: string): string {
  const trimmed = url.trim();
  if (trimmed.startsWith('/') && !trimmed.startsWith('//')) return trimmed;
  if (/^(https?:|mailto:)/i.test(trimmed)) return trimmed;
  // Relative addresses are dashboards' own; anything with another scheme leads nowhere.
  return /^[a-z][a-z0-9+.-]*:/i.test(trimmed) || trimmed.startsWith('//') ? '#' : `/${trimmed}`;
}
