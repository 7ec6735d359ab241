/** What the server says of its build and its run, in words. Pure. */

import type { BuildInfo, RuntimeInfo } from '../../api/generated';
import { bytes } from '../../dashboard/units/units';
import type { Labels } from '../../frame/frame';
import { formatDuration, parseDuration } from '../../lib/time/duration';

export function buildFacts(build: BuildInfo): Labels {
  return {
    Version: build.mastheadVersion,
    'Answers as Prometheus': build.version,
    Branch: build.branch,
    Revision: build.revision,
    Built: build.buildDate,
    Compiler: build.goVersion,
  };
}

/** Without what only Go's runtime has; what is not known is empty. */
export function runFacts(run: RuntimeInfo): Labels {
  // Go's zero time: no file was read.
  const loaded = run.lastConfigTime.startsWith('0001-') ? '' : ` at ${run.lastConfigTime}`;
  return {
    Started: run.startTime,
    'Time of the server': run.serverTime,
    'Host name': run.hostname,
    Directory: run.CWD,
    'Processor cores': String(run.GOMAXPROCS),
    Threads: String(run.goroutineCount),
    Configuration: run.reloadConfigSuccess
      ? `loaded${loaded}`
      : `the last reload failed; in force is what was loaded${loaded}`,
    'Damaged parts of the store': String(run.corruptionCount),
  };
}

/** What a flag of many seconds or bytes says to a person: `1w` for `604800s`; nothing for others. */
export function plainly(name: string, value: string): string | undefined {
  if (/^\d+s$/.test(value)) {
    const words = formatDuration(parseDuration(value) ?? 0);
    return words === value ? undefined : words;
  }
  if (!/\b(size|bytes)\b/.test(name) || !/^\d{4,}$/.test(value)) return undefined;
  return bytes(Number(value));
}
