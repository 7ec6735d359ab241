/**
 * Every unit id of Grafana's panels, in one table: id, name in menus, how a value is written.
 *
 * Ids and what they mean follow Grafana's documentation of standard units. A unit that is not in
 * the table is a suffix (`suffix:rows`, `rows`), a prefix (`prefix:#`), a time format
 * (`time:YYYY-MM-DD`), a scaled unit (`si:mV`) or a count (`count:jobs`), as there.
 */

import { byPattern } from '../../lib/time/pattern';
import {
  before,
  binary,
  counted,
  decimal,
  decimalUp,
  type Formatter,
  fixed,
  joined,
  plain,
  scaled,
} from './format';
import { clock, instant, inWords, lengthIn } from './time';

export type Unit = {
  readonly id: string;
  readonly name: string;
  readonly group: string;
  readonly format: Formatter;
};

const short = scaled(1_000, [
  '',
  ' K',
  ' Mil',
  ' Bil',
  ' Tri',
  ' Quadr',
  ' Quint',
  ' Sext',
  ' Sept',
]);

const MISC: readonly (readonly [string, string, Formatter])[] = [
  ['none', 'Number', (value, decimals) => ({ text: fixed(value, decimals) })],
  ['string', 'String', (value) => ({ text: String(value) })],
  ['short', 'short', short],
  ['sishort', 'SI short', decimal('')],
  [
    'percent',
    'Percent (0-100)',
    (value, decimals) => ({ text: fixed(value, decimals), suffix: '%' }),
  ],
  [
    'percentunit',
    'Percent (0.0-1.0)',
    (value, decimals) => ({ text: fixed(value * 100, decimals), suffix: '%' }),
  ],
  ['humidity', 'Humidity (%H)', plain('%H')],
  ['dB', 'Decibel', plain('dB')],
  ['candela', 'Candela (cd)', decimal('cd')],
  ['hex0x', 'Hexadecimal (0x)', (value, decimals) => hex(value, '0x', decimals)],
  ['hex', 'Hexadecimal', (value, decimals) => hex(value, '', decimals)],
  ['sci', 'Scientific notation', (value, decimals) => ({ text: value.toExponential(decimals) })],
  [
    'locale',
    'Locale format',
    (value, decimals) => ({
      text: value.toLocaleString(
        undefined,
        decimals === undefined ? {} : { maximumFractionDigits: decimals },
      ),
    }),
  ],
  ['pixel', 'Pixels', plain('px')],
  ['bool', 'True / False', (value) => ({ text: value === 0 ? 'False' : 'True' })],
  ['bool_yes_no', 'Yes / No', (value) => ({ text: value === 0 ? 'No' : 'Yes' })],
  ['bool_on_off', 'On / Off', (value) => ({ text: value === 0 ? 'Off' : 'On' })],
];

function hex(value: number, prefix: string, decimals?: number) {
  const whole =
    decimals === undefined && Number.isInteger(value)
      ? value
      : Number(value.toFixed(decimals ?? 0));
  const digits = Math.abs(whole).toString(16).toUpperCase();
  return { text: `${whole < 0 ? '-' : ''}${prefix}${digits}` };
}

const DATA: readonly (readonly [string, string, Formatter])[] = [
  ['bytes', 'bytes(IEC)', binary('B')],
  ['decbytes', 'bytes(SI)', decimalUp('B')],
  ['bits', 'bits(IEC)', binary('b')],
  ['decbits', 'bits(SI)', decimalUp('b')],
  ['kbytes', 'kibibytes', binary('B', 1)],
  ['deckbytes', 'kilobytes', decimalUp('B', 1)],
  ['mbytes', 'mebibytes', binary('B', 2)],
  ['decmbytes', 'megabytes', decimalUp('B', 2)],
  ['gbytes', 'gibibytes', binary('B', 3)],
  ['decgbytes', 'gigabytes', decimalUp('B', 3)],
  ['tbytes', 'tebibytes', binary('B', 4)],
  ['dectbytes', 'terabytes', decimalUp('B', 4)],
  ['pbytes', 'pebibytes', binary('B', 5)],
  ['decpbytes', 'petabytes', decimalUp('B', 5)],
];

const RATE: readonly (readonly [string, string, Formatter])[] = [
  ['pps', 'packets/sec', decimalUp('p/s')],
  ['binBps', 'bytes/sec(IEC)', binary('B/s')],
  ['Bps', 'bytes/sec(SI)', decimalUp('B/s')],
  ['binbps', 'bits/sec(IEC)', binary('b/s')],
  ['bps', 'bits/sec(SI)', decimalUp('b/s')],
  ['KiBs', 'kibibytes/sec', binary('B/s', 1)],
  ['Kibits', 'kibibits/sec', binary('b/s', 1)],
  ['KBs', 'kilobytes/sec', decimalUp('B/s', 1)],
  ['Kbits', 'kilobits/sec', decimalUp('b/s', 1)],
  ['MiBs', 'mebibytes/sec', binary('B/s', 2)],
  ['Mibits', 'mebibits/sec', binary('b/s', 2)],
  ['MBs', 'megabytes/sec', decimalUp('B/s', 2)],
  ['Mbits', 'megabits/sec', decimalUp('b/s', 2)],
  ['GiBs', 'gibibytes/sec', binary('B/s', 3)],
  ['Gibits', 'gibibits/sec', binary('b/s', 3)],
  ['GBs', 'gigabytes/sec', decimalUp('B/s', 3)],
  ['Gbits', 'gigabits/sec', decimalUp('b/s', 3)],
  ['TiBs', 'tebibytes/sec', binary('B/s', 4)],
  ['Tibits', 'tebibits/sec', binary('b/s', 4)],
  ['TBs', 'terabytes/sec', decimalUp('B/s', 4)],
  ['Tbits', 'terabits/sec', decimalUp('b/s', 4)],
  ['PiBs', 'pebibytes/sec', binary('B/s', 5)],
  ['Pibits', 'pebibits/sec', binary('b/s', 5)],
  ['PBs', 'petabytes/sec', decimalUp('B/s', 5)],
  ['Pbits', 'petabits/sec', decimalUp('b/s', 5)],
];

const DATES: readonly (readonly [string, string, Formatter])[] = [
  ['dateTimeAsIso', 'Datetime ISO', instant('iso', 'browser')],
  [
    'dateTimeAsIsoNoDateIfToday',
    'Datetime ISO (no date if today)',
    instant('iso', 'browser', true),
  ],
  ['dateTimeAsUS', 'Datetime US', instant('us', 'browser')],
  ['dateTimeAsUSNoDateIfToday', 'Datetime US (no date if today)', instant('us', 'browser', true)],
  ['dateTimeAsLocal', 'Datetime local', instant('local', 'browser')],
  [
    'dateTimeAsLocalNoDateIfToday',
    'Datetime local (no date if today)',
    instant('local', 'browser', true),
  ],
  ['dateTimeAsSystem', 'Datetime default', instant('iso', 'browser')],
  ['dateTimeFromNow', 'From now', instant('fromNow', 'browser')],
];

const TIME: readonly (readonly [string, string, Formatter])[] = [
  ['hertz', 'Hertz (1/s)', decimal('Hz')],
  ['ns', 'nanoseconds (ns)', lengthIn(1e-9)],
  ['µs', 'microseconds (µs)', lengthIn(1e-6)],
  ['ms', 'milliseconds (ms)', lengthIn(1e-3)],
  ['s', 'seconds (s)', lengthIn(1)],
  ['m', 'minutes (m)', lengthIn(60)],
  ['h', 'hours (h)', lengthIn(3_600)],
  ['d', 'days (d)', lengthIn(86_400)],
  ['dtdurationms', 'duration (ms)', inWords(1e-3)],
  ['dtdurations', 'duration (s)', inWords(1)],
  ['dthms', 'duration (hh:mm:ss)', clock(1, false)],
  ['dtdhms', 'duration (d hh:mm:ss)', clock(1, true)],
  ['timeticks', 'Timeticks (s/100)', lengthIn(0.01)],
  ['clockms', 'clock (ms)', clock(1e-3, false)],
  ['clocks', 'clock (s)', clock(1, false)],
];

const THROUGHPUT: readonly (readonly [string, string, string])[] = [
  ['cps', 'counts/sec (cps)', 'c/s'],
  ['ops', 'ops/sec (ops)', 'ops/s'],
  ['reqps', 'requests/sec (rps)', 'req/s'],
  ['rps', 'reads/sec (rps)', 'rd/s'],
  ['wps', 'writes/sec (wps)', 'wr/s'],
  ['iops', 'I/O ops/sec (iops)', 'io/s'],
  ['eps', 'events/sec (eps)', 'evt/s'],
  ['mps', 'messages/sec (mps)', 'msg/s'],
  ['rowsps', 'rows/sec', 'rows/s'],
  ['cpm', 'counts/min (cpm)', 'c/m'],
  ['opm', 'ops/min (opm)', 'ops/m'],
  ['reqpm', 'requests/min (rpm)', 'req/m'],
  ['rpm', 'reads/min (rpm)', 'rd/m'],
  ['wpm', 'writes/min (wpm)', 'wr/m'],
  ['epm', 'events/min', 'evts/m'],
  ['mpm', 'messages/min', 'msgs/m'],
  ['recpm', 'records/min', 'rec/m'],
  ['recps', 'records/sec', 'rec/s'],
];

/** Units that are a symbol with decimal prefixes, or with none. */
const SYMBOLS: readonly (readonly [group: string, id: string, name: string, Formatter])[] = [
  ['Acceleration', 'accMS2', 'Meters/sec²', plain('m/sec²')],
  ['Acceleration', 'accFS2', 'Feet/sec²', plain('f/sec²')],
  ['Acceleration', 'accG', 'G unit', plain('g')],
  ['Angle', 'degree', 'Degrees (°)', (v, d) => ({ text: fixed(v, d), suffix: '°' })],
  ['Angle', 'radian', 'Radians', plain('rad')],
  ['Angle', 'grad', 'Gradian', plain('grad')],
  ['Angle', 'arcmin', 'Arc Minutes', plain('arcmin')],
  ['Angle', 'arcsec', 'Arc Seconds', plain('arcsec')],
  ['Area', 'areaM2', 'Square Meters (m²)', plain('m²')],
  ['Area', 'areaF2', 'Square Feet (ft²)', plain('ft²')],
  ['Area', 'areaMI2', 'Square Miles (mi²)', plain('mi²')],
  ['Area', 'acres', 'Acres (ac)', plain('ac')],
  ['Area', 'hectares', 'Hectares (ha)', plain('ha')],
  ['Computation', 'flops', 'FLOP/s', decimalUp('FLOPS')],
  ['Computation', 'mflops', 'MFLOP/s', decimalUp('FLOPS', 2)],
  ['Computation', 'gflops', 'GFLOP/s', decimalUp('FLOPS', 3)],
  ['Computation', 'tflops', 'TFLOP/s', decimalUp('FLOPS', 4)],
  ['Computation', 'pflops', 'PFLOP/s', decimalUp('FLOPS', 5)],
  ['Computation', 'eflops', 'EFLOP/s', decimalUp('FLOPS', 6)],
  ['Computation', 'zflops', 'ZFLOP/s', decimalUp('FLOPS', 7)],
  ['Computation', 'yflops', 'YFLOP/s', decimalUp('FLOPS', 8)],
  ['Concentration', 'ppm', 'parts-per-million (ppm)', plain('ppm')],
  ['Concentration', 'conppb', 'parts-per-billion (ppb)', plain('ppb')],
  ['Concentration', 'conngm3', 'nanogram per cubic meter (ng/m³)', plain('ng/m³')],
  ['Concentration', 'conμgm3', 'microgram per cubic meter (μg/m³)', plain('μg/m³')],
  ['Concentration', 'conmgm3', 'milligram per cubic meter (mg/m³)', plain('mg/m³')],
  ['Concentration', 'congm3', 'gram per cubic meter (g/m³)', plain('g/m³')],
  ['Concentration', 'conmgdL', 'milligrams per decilitre (mg/dL)', plain('mg/dL')],
  ['Concentration', 'conmmolL', 'millimoles per litre (mmol/L)', plain('mmol/L')],
  ['Energy', 'watt', 'Watt (W)', decimal('W')],
  ['Energy', 'kwatt', 'Kilowatt (kW)', decimal('W', 1)],
  ['Energy', 'megwatt', 'Megawatt (MW)', decimal('W', 2)],
  ['Energy', 'gwatt', 'Gigawatt (GW)', decimal('W', 3)],
  ['Energy', 'mwatt', 'Milliwatt (mW)', decimal('W', -1)],
  ['Energy', 'Wm2', 'Watt per square meter (W/m²)', plain('W/m²')],
  ['Energy', 'voltamp', 'Volt-Ampere (VA)', decimal('VA')],
  ['Energy', 'kvoltamp', 'Kilovolt-Ampere (kVA)', decimal('VA', 1)],
  ['Energy', 'voltampreact', 'Volt-Ampere reactive (VAr)', decimal('VAr')],
  ['Energy', 'kvoltampreact', 'Kilovolt-Ampere reactive (kVAr)', decimal('VAr', 1)],
  ['Energy', 'watth', 'Watt-hour (Wh)', decimal('Wh')],
  ['Energy', 'watthperkg', 'Watt-hour per Kilogram (Wh/kg)', decimal('Wh/kg')],
  ['Energy', 'kwatth', 'Kilowatt-hour (kWh)', decimal('Wh', 1)],
  ['Energy', 'kwattm', 'Kilowatt-min (kWm)', decimal('W-Min', 1)],
  ['Energy', 'mwatth', 'Megawatt-hour (MWh)', decimal('Wh', 2)],
  ['Energy', 'amph', 'Ampere-hour (Ah)', decimal('Ah')],
  ['Energy', 'kamph', 'Kiloampere-hour (kAh)', decimal('Ah', 1)],
  ['Energy', 'mamph', 'Milliampere-hour (mAh)', decimal('Ah', -1)],
  ['Energy', 'joule', 'Joule (J)', decimal('J')],
  ['Energy', 'ev', 'Electron volt (eV)', decimal('eV')],
  ['Energy', 'amp', 'Ampere (A)', decimal('A')],
  ['Energy', 'kamp', 'Kiloampere (kA)', decimal('A', 1)],
  ['Energy', 'mamp', 'Milliampere (mA)', decimal('A', -1)],
  ['Energy', 'volt', 'Volt (V)', decimal('V')],
  ['Energy', 'kvolt', 'Kilovolt (kV)', decimal('V', 1)],
  ['Energy', 'mvolt', 'Millivolt (mV)', decimal('V', -1)],
  ['Energy', 'dBm', 'Decibel-milliwatt (dBm)', plain('dBm')],
  ['Energy', 'mohm', 'Milliohm (mΩ)', decimal('Ω', -1)],
  ['Energy', 'ohm', 'Ohm (Ω)', decimal('Ω')],
  ['Energy', 'kohm', 'Kiloohm (kΩ)', decimal('Ω', 1)],
  ['Energy', 'Mohm', 'Megaohm (MΩ)', decimal('Ω', 2)],
  ['Energy', 'farad', 'Farad (F)', decimal('F')],
  ['Energy', 'µfarad', 'Microfarad (µF)', decimal('F', -2)],
  ['Energy', 'nfarad', 'Nanofarad (nF)', decimal('F', -3)],
  ['Energy', 'pfarad', 'Picofarad (pF)', decimal('F', -4)],
  ['Energy', 'ffarad', 'Femtofarad (fF)', decimal('F', -5)],
  ['Energy', 'henry', 'Henry (H)', decimal('H')],
  ['Energy', 'mhenry', 'Millihenry (mH)', decimal('H', -1)],
  ['Energy', 'µhenry', 'Microhenry (µH)', decimal('H', -2)],
  ['Energy', 'lumens', 'Lumens (Lm)', decimal('Lm')],
  ['Flow', 'flowgpm', 'Gallons/min (gpm)', plain('gpm')],
  ['Flow', 'flowcms', 'Cubic meters/sec (cms)', plain('cms')],
  ['Flow', 'flowcfs', 'Cubic feet/sec (cfs)', plain('cfs')],
  ['Flow', 'flowcfm', 'Cubic feet/min (cfm)', plain('cfm')],
  ['Flow', 'litreh', 'Litre/hour', plain('L/h')],
  ['Flow', 'flowlpm', 'Litre/min (L/min)', plain('L/min')],
  ['Flow', 'flowmlpm', 'milliLitre/min (mL/min)', plain('mL/min')],
  ['Flow', 'lux', 'Lux (lx)', plain('lux')],
  ['Force', 'forceNm', 'Newton-meters (Nm)', decimal('Nm')],
  ['Force', 'forcekNm', 'Kilonewton-meters (kNm)', decimal('Nm', 1)],
  ['Force', 'forceN', 'Newtons (N)', decimal('N')],
  ['Force', 'forcekN', 'Kilonewtons (kN)', decimal('N', 1)],
  ['Hash rate', 'Hs', 'hashes/sec', decimalUp('H/s')],
  ['Hash rate', 'KHs', 'kilohashes/sec', decimalUp('H/s', 1)],
  ['Hash rate', 'MHs', 'megahashes/sec', decimalUp('H/s', 2)],
  ['Hash rate', 'GHs', 'gigahashes/sec', decimalUp('H/s', 3)],
  ['Hash rate', 'THs', 'terahashes/sec', decimalUp('H/s', 4)],
  ['Hash rate', 'PHs', 'petahashes/sec', decimalUp('H/s', 5)],
  ['Hash rate', 'EHs', 'exahashes/sec', decimalUp('H/s', 6)],
  ['Length', 'lengthmm', 'millimeter (mm)', decimal('m', -1)],
  ['Length', 'lengthin', 'inch (in)', plain('in')],
  ['Length', 'lengthft', 'feet (ft)', plain('ft')],
  ['Length', 'lengthm', 'meter (m)', decimal('m')],
  ['Length', 'lengthkm', 'kilometer (km)', decimal('m', 1)],
  ['Length', 'lengthmi', 'mile (mi)', plain('mi')],
  ['Mass', 'massmg', 'milligram (mg)', decimal('g', -1)],
  ['Mass', 'massg', 'gram (g)', decimal('g')],
  ['Mass', 'masslb', 'pound (lb)', plain('lb')],
  ['Mass', 'masskg', 'kilogram (kg)', decimal('g', 1)],
  ['Mass', 'masst', 'metric ton (t)', plain('t')],
  ['Pressure', 'pressurembar', 'Millibars', decimal('bar', -1)],
  ['Pressure', 'pressurebar', 'Bars', decimal('bar')],
  ['Pressure', 'pressurekbar', 'Kilobars', decimal('bar', 1)],
  ['Pressure', 'pressurepa', 'Pascals', decimal('Pa')],
  ['Pressure', 'pressurehpa', 'Hectopascals', plain('hPa')],
  ['Pressure', 'pressurekpa', 'Kilopascals', plain('kPa')],
  ['Pressure', 'pressurehg', 'Inches of mercury', plain('"Hg')],
  ['Pressure', 'pressurepsi', 'PSI', scaled(1_000, [' psi', ' ksi', ' Mpsi'])],
  ['Radiation', 'radbq', 'Becquerel (Bq)', decimal('Bq')],
  ['Radiation', 'radci', 'curie (Ci)', decimal('Ci')],
  ['Radiation', 'radgy', 'Gray (Gy)', decimal('Gy')],
  ['Radiation', 'radrad', 'rad', decimal('rad')],
  ['Radiation', 'radsv', 'Sievert (Sv)', decimal('Sv')],
  ['Radiation', 'radmsv', 'milliSievert (mSv)', decimal('Sv', -1)],
  ['Radiation', 'radusv', 'microSievert (µSv)', decimal('Sv', -2)],
  ['Radiation', 'radrem', 'rem', decimal('rem')],
  ['Radiation', 'radexpckg', 'Exposure (C/kg)', decimal('C/kg')],
  ['Radiation', 'radr', 'roentgen (R)', decimal('R')],
  ['Radiation', 'radsvh', 'Sievert/hour (Sv/h)', decimal('Sv/h')],
  ['Radiation', 'radmsvh', 'milliSievert/hour (mSv/h)', decimal('Sv/h', -1)],
  ['Radiation', 'radusvh', 'microSievert/hour (µSv/h)', decimal('Sv/h', -2)],
  ['Rotational speed', 'rotrpm', 'Revolutions per minute (rpm)', plain('rpm')],
  ['Rotational speed', 'rothz', 'Hertz (Hz)', decimal('Hz')],
  ['Rotational speed', 'rotrads', 'Radians per second (rad/s)', plain('rad/s')],
  ['Rotational speed', 'rotdegs', 'Degrees per second (°/s)', plain('°/s')],
  ['Temperature', 'celsius', 'Celsius (°C)', plain('°C')],
  ['Temperature', 'fahrenheit', 'Fahrenheit (°F)', plain('°F')],
  ['Temperature', 'kelvin', 'Kelvin (K)', plain('K')],
  ['Velocity', 'velocityms', 'meters/second (m/s)', plain('m/s')],
  ['Velocity', 'velocitykmh', 'kilometers/hour (km/h)', plain('km/h')],
  ['Velocity', 'velocitymph', 'miles/hour (mph)', plain('mph')],
  ['Velocity', 'velocityknot', 'knot (kn)', plain('kn')],
  ['Volume', 'mlitre', 'millilitre (mL)', decimal('L', -1)],
  ['Volume', 'litre', 'litre (L)', decimal('L')],
  ['Volume', 'm3', 'cubic meter', plain('m³')],
  ['Volume', 'Nm3', 'Normal cubic meter', plain('Nm³')],
  ['Volume', 'dm3', 'cubic decimeter', plain('dm³')],
  ['Volume', 'gallons', 'gallons', plain('gal')],
];

const MONEY: readonly (readonly [string, string, string])[] = [
  ['currencyUSD', 'Dollars ($)', '$'],
  ['currencyGBP', 'Pounds (£)', '£'],
  ['currencyEUR', 'Euro (€)', '€'],
  ['currencyJPY', 'Yen (¥)', '¥'],
  ['currencyRUB', 'Rubles (₽)', '₽'],
  ['currencyUAH', 'Hryvnias (₴)', '₴'],
  ['currencyBRL', 'Real (R$)', 'R$'],
  ['currencyDKK', 'Danish Krone (kr)', 'kr '],
  ['currencyISK', 'Icelandic Króna (kr)', 'kr '],
  ['currencyNOK', 'Norwegian Krone (kr)', 'kr '],
  ['currencySEK', 'Swedish Krona (kr)', 'kr '],
  ['currencyCZK', 'Czech koruna (czk)', 'czk '],
  ['currencyCHF', 'Swiss franc (CHF)', 'CHF '],
  ['currencyPLN', 'Polish Złoty (PLN)', 'PLN '],
  ['currencyBTC', 'Bitcoin (฿)', '฿'],
  ['currencymBTC', 'Milli Bitcoin (฿)', 'm฿'],
  ['currencyμBTC', 'Micro Bitcoin (฿)', 'μ฿'],
  ['currencyZAR', 'South African Rand (R)', 'R'],
  ['currencyINR', 'Indian Rupee (₹)', '₹'],
  ['currencyKRW', 'South Korean Won (₩)', '₩'],
  ['currencyIDR', 'Indonesian Rupiah (Rp)', 'Rp'],
  ['currencyPHP', 'Philippine Peso (PHP)', 'PHP '],
  ['currencyVND', 'Vietnamese Dong (VND)', 'đ '],
  ['currencyTRY', 'Turkish Lira (₺)', '₺'],
  ['currencyMYR', 'Malaysian Ringgit (RM)', 'RM'],
  ['currencyXPF', 'CFP franc (XPF)', 'XPF '],
  ['currencyBGN', 'Bulgarian Lev (BGN)', 'BGN '],
  ['currencyPYG', 'Guaraní (₲)', '₲'],
  ['currencyUYU', 'Uruguay Peso (UYU)', 'UYU '],
  ['currencyILS', 'Israeli New Shekels (₪)', '₪'],
];

/** Every unit in the order of menus. */
export const UNITS: readonly Unit[] = [
  ...MISC.map(([id, name, format]) => ({ id, name, group: 'Misc', format })),
  ...DATA.map(([id, name, format]) => ({ id, name, group: 'Data', format })),
  ...RATE.map(([id, name, format]) => ({ id, name, group: 'Data rate', format })),
  ...DATES.map(([id, name, format]) => ({ id, name, group: 'Date and time', format })),
  ...TIME.map(([id, name, format]) => ({ id, name, group: 'Time', format })),
  ...THROUGHPUT.map(([id, name, s]) => ({ id, name, group: 'Throughput', format: counted(s) })),
  ...SYMBOLS.map(([group, id, name, format]) => ({ id, name, group, format })),
  ...MONEY.map(([id, name, symbol]) => ({ id, name, group: 'Currency', format: before(symbol) })),
];

const BY_ID = new Map(UNITS.map((unit) => [unit.id, unit.format]));

/** How values of this unit are written; see the header for ids that are not in the table. */
export function formatter(id: string | undefined): Formatter {
  if (id === undefined || id === '') return short;
  const known = BY_ID.get(id);
  if (known !== undefined) return known;
  const colon = id.indexOf(':');
  const [kind, rest] = colon < 0 ? ['suffix', id] : [id.slice(0, colon), id.slice(colon + 1)];
  switch (kind) {
    case 'prefix':
      return (value, decimals) => ({ prefix: rest, text: fixed(value, decimals) });
    case 'si': {
      const small = ['f', 'p', 'n', 'µ', 'm'].indexOf(rest.slice(0, 1));
      const large = ['k', 'M', 'G', 'T', 'P'].indexOf(rest.slice(0, 1));
      if (rest.length > 1 && small >= 0) return decimal(rest.slice(1), small - 5);
      if (rest.length > 1 && large >= 0) return decimal(rest.slice(1), large + 1);
      return decimal(rest);
    }
    case 'time':
      return (value) => ({ text: byPattern(value, rest, false) });
    case 'count':
      return counted(rest);
    case 'currency':
      return before(rest);
    case 'bool': {
      const [yes = 'True', no = 'False'] = rest.split('/');
      return (value) => ({ text: value === 0 ? no : yes });
    }
    case 'suffix':
      return plain(rest);
    default:
      return plain(id);
  }
}

/** Writes values of this unit as plain text, as the pages do that are no boards. */
function writer(id: string): (value: number, decimals?: number) => string {
  const format = formatter(id);
  return (value, decimals) => joined(format(value, decimals));
}

export const seconds = writer('s');
export const bytes = writer('bytes');
