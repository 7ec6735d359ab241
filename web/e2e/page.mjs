/** What every test in the browser needs: a page whose faults are noted, and waiting for conditions. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

/** Long enough for one busy core with a load of twenty; nothing waits that long when it works. */
export const WAIT = Number(process.env.E2E_WAIT_MS ?? 120_000);

/** Panels that have nothing to show on a machine where nothing is wrong. */
export const QUIET =
  /error|restart|throttl|one request|refused|dropped|fault|exemplar|swap|temperature|scrapes? that failed|the same line/i;

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export async function startBrowser(executablePath, baseURL) {
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'],
  });
  return { browser, ...(await openPage(browser, baseURL)) };
}

/** A page in a context of its own, which knows nothing of any other. */
export async function openPage(browser, baseURL) {
  const context = await browser.newContext({ baseURL, viewport: { width: 1440, height: 900 } });
  context.setDefaultTimeout(WAIT);
  const faults = [];
  const page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`${page.url()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`${page.url()}: ${error.message}`));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(baseURL) && !url.startsWith('blob:')) faults.push(`a request left: ${url}`);
  });
  return { page, faults };
}

/** Waits until the condition holds, asking again and again. */
export async function until(what, condition) {
  const end = Date.now() + WAIT;
  for (;;) {
    const found = await condition();
    if (found) return found;
    assert(Date.now() < end, `${what}: not so after ${WAIT / 1_000} s`);
    await new Promise((next) => setTimeout(next, 300));
  }
}

/** Waits until nothing fades or moves any more; what turns for as long as one waits may do so. */
async function still(page) {
  await until('the page holds still', () =>
    page.evaluate(() =>
      document
        .getAnimations()
        .every(
          (one) => one.playState !== 'running' || one.effect?.getTiming().iterations === Infinity,
        ),
    ),
  );
}

/** What axe calls serious or critical, as one line each. */
export async function findings(page) {
  // Half faded in, a text has too little contrast.
  await still(page);
  // Through the debugger: the page's own policy allows no script but its own.
  const found = await page.evaluate(`${axe}; axe.run(document, { resultTypes: ['violations'] })`);
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html} ${nodes[0]?.any[0]?.message ?? ''}`);
}

/** Asks again until there are series: what is scraped comes in its own time. */
export async function untilSeries(page) {
  await until('an answer with series', async () => {
    if (
      await page
        .getByText(/^[1-9]\d* series/)
        .first()
        .isVisible()
    )
      return true;
    // Asking again while an answer is on its way would throw it away.
    if (!(await page.getByText('Asking…').first().isVisible()))
      await page.getByRole('button', { name: 'Refresh', exact: true }).last().click();
    return false;
  });
}

/** Waits until the keyboard is in what was opened: before, a key would go elsewhere. */
export async function focusIn(page, role) {
  await until(`the focus is in the ${role}`, () =>
    page.evaluate((of) => document.activeElement?.closest(`[role="${of}"]`) !== null, role),
  );
}

/** Each panel's state. */
export async function panels(page) {
  return page.evaluate(() =>
    [...document.querySelectorAll('section.panel')].map((panel) => ({
      name: panel.getAttribute('aria-label') ?? '',
      error: panel.querySelector('[aria-label^="Error:"]')?.getAttribute('aria-label') ?? '',
      loading: panel.querySelector('[aria-label="Loading"]') !== null,
      text: panel.querySelector('.panel-body')?.textContent ?? '',
      inSight: panel.getBoundingClientRect().top < window.innerHeight,
      drawn:
        panel.querySelector('.panel-body :is(canvas, svg, [role], .stat-tile, p, h1, a, bdi)') !==
        null,
    })),
  );
}

/** Has a board ask again, but not while answers are on their way: that would throw these away. */
export async function refreshed(page) {
  if ((await panels(page)).some((p) => p.loading)) return;
  await page.getByRole('button', { name: 'Refresh', exact: true }).first().click();
}

/** Waits until every panel of the board has drawn something and none says that it failed. */
export async function allDrawn(page, mayBeEmpty = () => false) {
  let last = [];
  await until(`every panel of ${page.url()} shows data`, async () => {
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    for (let y = 0; y < height; y += 700) await page.evaluate((to) => window.scrollTo(0, to), y);
    last = await panels(page);
    const bad = last.filter(
      (p) =>
        p.error !== '' ||
        p.text.includes('could not be drawn') ||
        (!mayBeEmpty(p.name) && (p.text === 'No data' || !(p.drawn || p.text !== ''))),
    );
    if (bad.length > 0) await refreshed(page);
    return last.length > 0 && bad.length === 0;
  }).catch((error) => {
    const bad = last.filter((p) => p.error !== '' || p.text === 'No data' || !p.drawn);
    throw new Error(`${error.message}: ${JSON.stringify(bad, null, 1).slice(0, 2_000)}`);
  });
  return last;
}
