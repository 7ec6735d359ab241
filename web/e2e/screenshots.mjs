/**
 * Pictures of the boards that ship, over live data, dark and light, for the README. A picture with a
 * panel that is empty, or says that it failed, is not taken: the script ends with its name.
 *
 * Usage: node e2e/screenshots.mjs BINARY CHROMIUM DIR
 */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { allDrawn, panels, QUIET, startBrowser, until } from './page.mjs';
import { startStack } from './stack.mjs';

const [binary, executablePath, out] = process.argv.slice(2);
assert(binary && executablePath && out, 'usage: node e2e/screenshots.mjs BINARY CHROMIUM DIR');

const BOARDS = ['api-overview', 'api-logs', 'masthead', 'host', 'kubernetes-workloads'];
/** Samples of each target, one a second, before the first picture: lines should be lines. */
const SAMPLES = Number(process.env.SAMPLES ?? 240);
/** The range of a picture: without the first minute, in which rates only begin. */
const MINUTES = Math.max(Math.floor(SAMPLES / 60) - 1, 1);

/** A server that is well has said nothing for minutes; these stand below the picture. */
const SILENT = /^(Lines per minute by level|What the server says)$/;

const stack = await startStack(binary);
let browser;
try {
  const opened = await startBrowser(executablePath, stack.url);
  browser = opened.browser;
  const { page } = opened;
  await page.setViewportSize({ width: 1200, height: 760 });
  for (let samples = 0; samples < SAMPLES; ) {
    await new Promise((next) => setTimeout(next, 2_000));
    const query = encodeURIComponent('max(count_over_time(up{job="api"}[1h]))');
    const answer = await (await fetch(`${stack.url}/api/v1/query?query=${query}`)).json();
    samples = Number(answer.data?.result[0]?.value[1] ?? 0);
  }
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme });
    for (const board of BOARDS) {
      await page.goto(`/d/${board}/${board}?from=now-${MINUTES}m&to=now`);
      await allDrawn(page, (name) => QUIET.test(name) || SILENT.test(name));
      await page.evaluate(() => window.scrollTo(0, 0));
      // Nothing is pointed at, so that no hint lies over the page.
      await page.mouse.move(2, 400);
      await page.getByRole('tooltip').first().waitFor({ state: 'detached' });
      await until(
        'the answers',
        async () => !(await page.getByLabel('Loading').first().isVisible()),
      );
      const empty = (await panels(page)).filter((p) => p.inSight && p.text === 'No data');
      assert.deepEqual(empty, [], `empty panels in the picture of ${board}`);
      await page.screenshot({ path: join(out, `${board}-${colorScheme}.png`) });
    }
  }
} finally {
  await browser?.close();
  await stack.stop();
}
