/** The words of LogQL with what they do; a test compares them with `docs/reference/logql.md`. */

export type Term = { readonly label: string; readonly info: string; readonly example?: string };

export const STAGES: readonly Term[] = [
  { label: 'json', info: 'Labels from the fields of a JSON object.', example: '| json' },
  { label: 'logfmt', info: 'Labels from key=value pairs.', example: '| logfmt --strict' },
  {
    label: 'regexp',
    info: 'Labels from the named groups of a regular expression.',
    example: '| regexp "(?P<method>[A-Z]+) (?P<path>\\\\S+)"',
  },
  {
    label: 'pattern',
    info: 'Labels from the places of a pattern.',
    example: '| pattern "<ip> - <_> <method> <path> <_>"',
  },
  { label: 'unpack', info: 'The line and labels that Promtail packed into JSON.' },
  { label: 'decolorize', info: 'The line without the codes that colour it on a terminal.' },
  {
    label: 'line_format',
    info: 'The line as a template writes it from the labels.',
    example: '| line_format "{{.method}} {{.path}}"',
  },
  {
    label: 'label_format',
    info: 'Labels renamed, or written by templates.',
    example: '| label_format route=path',
  },
  { label: 'keep', info: 'No labels but these.', example: '| keep level, method="GET"' },
  { label: 'drop', info: 'All labels but these.', example: '| drop pod, level="debug"' },
  {
    label: 'unwrap',
    info: "A label's value as the sample: a number, duration or size.",
    example: '| unwrap duration(took)',
  },
];

export const FILTERS: readonly Term[] = [
  { label: '|=', info: 'Lines that hold a text.', example: '|= "error" or "panic"' },
  { label: '!=', info: 'Lines that do not hold a text.', example: '!= ip("10.0.0.0/8")' },
  { label: '|~', info: 'Lines in which a regular expression matches.' },
  { label: '!~', info: 'Lines in which a regular expression does not match.' },
  { label: '|>', info: 'Lines that look like a pattern.', example: '|> "<_> level=error <_>"' },
  { label: '!>', info: 'Lines that do not look like a pattern.' },
];

export const RANGES: readonly Term[] = [
  { label: 'count_over_time', info: 'How many lines there are.' },
  { label: 'rate', info: 'Lines per second; with `unwrap` the sum of values per second.' },
  { label: 'rate_counter', info: 'The increase per second of unwrapped values of a counter.' },
  { label: 'bytes_over_time', info: 'How many bytes the lines have.' },
  { label: 'bytes_rate', info: 'Bytes of lines per second.' },
  { label: 'avg_over_time', info: 'The mean of unwrapped values.' },
  { label: 'sum_over_time', info: 'The sum of unwrapped values.' },
  { label: 'min_over_time', info: 'The least of unwrapped values.' },
  { label: 'max_over_time', info: 'The greatest of unwrapped values.' },
  { label: 'stdvar_over_time', info: 'The variance of unwrapped values.' },
  { label: 'stddev_over_time', info: 'The standard deviation of unwrapped values.' },
  { label: 'quantile_over_time', info: 'A quantile of unwrapped values, interpolated.' },
  { label: 'first_over_time', info: 'The oldest of unwrapped values.' },
  { label: 'last_over_time', info: 'The newest of unwrapped values.' },
  { label: 'absent_over_time', info: '1 where there are no lines.' },
];

export const AGGREGATIONS: readonly Term[] = [
  { label: 'sum', info: 'The sum of a group.' },
  { label: 'avg', info: 'The mean of a group.' },
  { label: 'count', info: 'How many series a group has.' },
  { label: 'max', info: 'The greatest of a group.' },
  { label: 'min', info: 'The least of a group.' },
  { label: 'stddev', info: 'The standard deviation of a group.' },
  { label: 'stdvar', info: 'The variance of a group.' },
  { label: 'bottomk', info: 'The k least series of a group.' },
  { label: 'topk', info: 'The k greatest series of a group.' },
  { label: 'sort', info: 'Series by rising value; of instant queries only.' },
  { label: 'sort_desc', info: 'Series by falling value; of instant queries only.' },
  { label: 'approx_topk', info: 'As `topk`, of instant queries only; exact here.' },
];

export const DURATIONS = ['1m', '5m', '10m', '30m', '1h', '1d', '$__auto', '$__range'];
