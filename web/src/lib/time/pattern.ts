/** Instants by a pattern of letters, such as `YYYY-MM-DD HH:mm`, as dashboards write them. */

const PART = /\[([^\]]*)\]|YYYY|YY|MMMM|MMM|MM|M|DD|D|dddd|ddd|HH|H|hh|h|mm|m|ss|s|SSS|A|a|X|x/g;

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** Writes the instant; what is no letter of a pattern, or stands in brackets, stays. */
export function byPattern(ms: number, pattern: string, utc: boolean): string {
  if (!Number.isFinite(ms)) return 'Invalid date';
  const zoned = utc ? new Date(ms) : new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  const two = (n: number) => String(n).padStart(2, '0');
  const [year, month, day] = [zoned.getUTCFullYear(), zoned.getUTCMonth(), zoned.getUTCDate()];
  const [hour, minute, second] = [
    zoned.getUTCHours(),
    zoned.getUTCMinutes(),
    zoned.getUTCSeconds(),
  ];
  const half = hour % 12 === 0 ? 12 : hour % 12;
  const [monthName = '', dayName = ''] = [MONTHS[month], DAYS[zoned.getUTCDay()]];
  const parts: Readonly<Record<string, string>> = {
    YYYY: String(year),
    YY: two(year % 100),
    MMMM: monthName,
    MMM: monthName.slice(0, 3),
    MM: two(month + 1),
    M: String(month + 1),
    DD: two(day),
    D: String(day),
    dddd: dayName,
    ddd: dayName.slice(0, 3),
    HH: two(hour),
    H: String(hour),
    hh: two(half),
    h: String(half),
    mm: two(minute),
    m: String(minute),
    ss: two(second),
    s: String(second),
    SSS: String(zoned.getUTCMilliseconds()).padStart(3, '0'),
    A: hour < 12 ? 'AM' : 'PM',
    a: hour < 12 ? 'am' : 'pm',
    X: String(Math.floor(ms / 1_000)),
    x: String(ms),
  };
  return pattern.replace(PART, (whole, plain?: string) => plain ?? parts[whole] ?? whole);
}
