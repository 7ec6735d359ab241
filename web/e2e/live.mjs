/**
 * The application in a real browser over live data: what a person does with the boards, and what
 * must never happen. Steps of a lane run in order in one page, lanes run beside each other; each
 * step waits for conditions, never for times.
 *
 * With a folder of dashboards every panel in it is drawn too; E2E_ONLY=WORDS runs some steps alone.
 *
 * Usage: node e2e/live.mjs BINARY CHROMIUM [DASHBOARDS]
 */

import assert from 'node:assert/strict';
import {
  allDrawn,
  findings,
  focusIn,
  openPage,
  panels,
  QUIET,
  refreshed,
  startBrowser,
  until,
  untilSeries,
} from './page.mjs';
import { pushHostile, pushMany, startStack } from './stack.mjs';

const [binary, executablePath, dashboards] = process.argv.slice(2);
assert(binary && executablePath, 'usage: node e2e/live.mjs BINARY CHROMIUM [DASHBOARDS]');

const SHIPPED = ['api-overview', 'api-logs', 'masthead', 'host', 'kubernetes-workloads'];
const RANGE = 'from=now-5m&to=now';

const stack = await startStack(binary, { dashboards });
/** Steps by their lane, which is a context of the browser. */
const lanes = { use: [], look: [], corpus: [] };
const step = (name, run, lane = 'use') => lanes[lane].push([name, run]);
const board = (uid, more = '') => `/d/${uid}/${uid}?${RANGE}${more}`;

step('each board that ships shows live data in every panel', async ({ page }) => {
  for (const uid of SHIPPED) {
    await page.goto(board(uid));
    await page.getByRole('heading', { level: 1 }).waitFor();
    await allDrawn(page, (name) => QUIET.test(name));
  }
});

step('the API overview is about the API alone', async ({ page }) => {
  await page.goto(board('api-overview'));
  await allDrawn(page, (name) => QUIET.test(name));
  const handlers = page.getByRole('region', { name: 'Handlers', exact: true });
  await handlers.getByText('/items', { exact: true }).first().waitFor();
  // Masthead answers under the same metrics: it was asked for everything on this page.
  const text = await page.locator('main').innerText();
  assert(!/\/(api|loki)\//.test(text), text);
});

step('a board weighs less than 400 kB on its way here', async ({ page }) => {
  await page.goto(board('host'));
  await allDrawn(page, (name) => QUIET.test(name));
  const loaded = await page.evaluate(() =>
    [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
      .filter(
        (e) => e.entryType === 'navigation' || new URL(e.name).pathname.startsWith('/assets/'),
      )
      .map((e) => [e.name, e.encodedBodySize]),
  );
  const bytes = loaded.reduce((sum, [, size]) => sum + size, 0);
  assert(bytes > 100_000 && bytes < 400_000, `${bytes} bytes: ${JSON.stringify(loaded)}`);
  // Editors are loaded by whoever edits.
  assert(!loaded.some(([name]) => name.includes('QueryEditor')));
});

step('a first page names the files of its view, and nothing is asked twice', async ({ page }) => {
  for (const [path, files] of [
    ['/', ['index', 'base', 'Dashboards']],
    ['/d/host/host', ['index', 'base', 'board', 'DashboardPage']],
    ['/explore/metrics', ['index', 'base', 'board', 'Explore', 'QueryEditor']],
  ]) {
    const html = await (await fetch(stack.url + path)).text();
    const named = [...html.matchAll(/(?:href|src)="\/assets\/([^"]+)-.{8}\.js"/g)].map((m) => m[1]);
    const late = files.filter((file) => !named.includes(file));
    assert.deepEqual(late, [], `${path} names ${named}`);
    assert(path !== '/' || !named.includes('board'), 'the list of boards draws no chart');
  }
  // The board of the step before asks again every 30 s.
  await page.goto('about:blank');
  const asked = [];
  const note = (request) => asked.push(new URL(request.url()).pathname);
  page.on('request', note);
  await page.goto(board('host'));
  await page.locator('section.panel .panel-body :is(canvas, .stat-tile)').first().waitFor();
  page.off('request', note);
  const apis = asked.filter((path) => path.startsWith('/api/'));
  const before = apis.slice(
    0,
    apis.findIndex((path) => path.includes('query')),
  );
  // Each of these waits for the one before it; another would be felt.
  assert.deepEqual(before, [
    '/api/user',
    '/api/dashboards/uid/host',
    '/api/v1/label/instance/values',
  ]);
});

step(
  'a range is chosen, zoomed by dragging, kept in the address, and back undoes it',
  async ({ page }) => {
    await page.goto(board('host'));
    await page.getByRole('button', { name: /^Time range:/ }).click();
    await page.getByText('Last 15 minutes', { exact: true }).click();
    await page.waitForURL(/from=now-15m/);
    // A chart is drawn anew with every answer, so its place is asked for until it holds still.
    await allDrawn(page, (name) => QUIET.test(name));
    await page.evaluate(() => window.scrollTo(0, 0));
    const box = await until('a chart in sight', () =>
      page.evaluate(() => {
        const all = [...document.querySelectorAll('section.panel .u-over')];
        const rects = all.map((one) => one.getBoundingClientRect());
        const seen = rects.find((r) => r.top > 60 && r.bottom < window.innerHeight && r.width > 50);
        return seen && { x: seen.x, y: seen.y, width: seen.width, height: seen.height };
      }),
    );
    await page.mouse.move(box.x + box.width * 0.4, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, box.y + box.height / 2, { steps: 5 });
    // An answer that comes meanwhile does not take the chart from under the hand.
    const answered = page.waitForResponse((response) => response.url().includes('/query_range'));
    const refresh = page.getByRole('button', { name: 'Refresh', exact: true }).first();
    await Promise.all([answered, refresh.evaluate((button) => button.click())]);
    await until('the answers', async () => !(await panels(page)).some((p) => p.loading));
    await page.mouse.move(box.x + box.width * 0.8, box.y + box.height / 2, { steps: 5 });
    await page.mouse.up();
    await page.waitForURL(/from=\d{13}.*to=\d{13}/);
    await page.goBack();
    await page.waitForURL(/from=now-15m/);
  },
);

step('a variable is chosen, and the panels ask for it', async ({ page }) => {
  await page.goto(board('api-overview'));
  await page
    .getByRole('textbox', { name: 'Service' })
    .or(page.getByRole('combobox', { name: 'Service' }))
    .first()
    .click();
  await Promise.all([
    page.waitForRequest(
      (request) =>
        request.url().includes('query_range') &&
        decodeURIComponent(request.postData() ?? request.url())
          .replaceAll('+', ' ')
          .includes('job=~"api"'),
    ),
    page.getByRole('option', { name: 'api', exact: true }).click(),
  ]);
  await page.keyboard.press('Escape');
  await page.waitForURL(/var-service=api/);
  await allDrawn(page, (name) => QUIET.test(name));
});

step('a refresh asks again', async ({ page }) => {
  await page.goto(board('host'));
  await allDrawn(page, (name) => QUIET.test(name));
  await Promise.all([
    page.waitForRequest((request) => request.url().includes('/api/v1/query')),
    page.getByRole('button', { name: 'Refresh', exact: true }).first().click(),
  ]);
});

step('a lost server is told, what was drawn stays, and comes back', async ({ page, faults }) => {
  await page.goto(board('host'));
  await allDrawn(page, (name) => QUIET.test(name));
  await page.evaluate(() => window.scrollTo(0, 0));
  await page.route('**/api/**', (route) => route.abort('connectionrefused'));
  try {
    await page.getByRole('button', { name: 'Refresh', exact: true }).first().click();
    await page
      .getByLabel(/^Error: The server cannot be reached/)
      .first()
      .waitFor();
    const gone = (await panels(page)).filter((p) => !p.drawn && !QUIET.test(p.name));
    assert.deepEqual(gone, []);
  } finally {
    // Whatever this step finds, the next one has its server.
    await page.unroute('**/api/**');
  }
  // Nobody asks for it.
  await until('it is back', async () => (await panels(page)).every((p) => p.error === ''));
  await page.goto('about:blank');
  const ours = faults.filter((fault) => !fault.includes('ERR_CONNECTION_REFUSED'));
  faults.splice(0, faults.length, ...ours);
});

step('from metrics to logs to one request', async ({ page }) => {
  await page.goto(board('api-overview', '&var-service=api'));
  await page.getByRole('link', { name: 'Logs', exact: true }).first().click();
  await page.waitForURL(/\/d\/api-logs.*var-service=api/);
  assert(new URL(page.url()).searchParams.get('from') === 'now-5m', page.url());
  const line = page.locator('section.panel .log-line').filter({ hasText: 'request_id' }).first();
  await line.click();
  const row = page
    .locator('.log-details tr')
    .filter({ has: page.getByRole('rowheader', { name: 'request_id', exact: true }) })
    .first();
  const id = (await row.locator('bdi').textContent())?.trim();
  assert(id, 'the line has a request id');
  // It stays open and in sight while newer lines come.
  const list = page.locator('section.panel').filter({ has: page.locator('.log-details') });
  const newest = () => list.locator('.log-line').first().textContent();
  const before = await newest();
  await until('newer lines', async () => {
    if ((await newest()) !== before) return true;
    await refreshed(page);
    return false;
  });
  assert.equal((await row.locator('bdi').textContent())?.trim(), id);
  await page.getByRole('textbox', { name: 'Request id' }).fill(id);
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.searchParams.get('var-request_id') === id);
  const all = page.getByRole('region', { name: 'All lines of one request' });
  await all.scrollIntoViewIfNeeded();
  await all.locator('.log-line').filter({ hasText: id }).first().waitFor();
});

step('the address opens the same board, a panel alone, and back', async ({ page }) => {
  await page.goto(board('api-overview', '&var-service=api&viewPanel=1'));
  await until('one panel alone', async () => (await panels(page)).length === 1);
  // The key closes what lies over the page first.
  const menu = page.getByRole('button', { name: /^Menu of / }).first();
  for (const over of ['menu', 'dialog']) {
    await menu.click();
    if (over === 'dialog') await page.getByRole('menuitem', { name: 'Inspect' }).click();
    await focusIn(page, over);
    await page.keyboard.press('Escape');
    await page.getByRole(over).waitFor({ state: 'detached' });
    assert.equal((await panels(page)).length, 1, `Escape closes the ${over} alone`);
  }
  await page.keyboard.press('Escape');
  await until('the whole board', async () => (await panels(page)).length > 5);
});

step('metrics are explored', async ({ page }) => {
  await page.goto(`/explore/metrics?${RANGE}&expr=up`);
  await untilSeries(page);
});

step('logs are explored, and hostile lines stay text', async ({ page }) => {
  await pushHostile(stack.url);
  const expr = encodeURIComponent('{app="hostile"}');
  await page.goto(`/explore/logs?${RANGE}&expr=${expr}`);
  await page.getByText('<img src=x onerror=').first().waitFor();
  assert.equal(await page.evaluate(() => 'hacked' in window), false);
  assert.equal(await page.locator('[role="log"] :is(img, script, b)').count(), 0);
  for (const line of await page.locator('.log-line').all()) await line.click();
  await page.locator('.log-details').getByText('<b>bold</b>', { exact: false }).first().waitFor();
  assert.equal(await page.locator('[role="log"] b').count(), 0);
  const text = (await page.locator('[role="log"]').textContent()) ?? '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there.
  assert.doesNotMatch(text, /[\u001b\u202e\u2066]/);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert(wide <= 1440, `a long word makes the page ${wide} pixels wide`);
});

step('a list of many pages of lines is scrolled from its start to its end', async ({ page }) => {
  const lines = 7_000;
  await pushMany(stack.url, 'pages', lines);
  const expr = encodeURIComponent('{app="pages"}');
  await page.goto(`/explore/logs?${RANGE}&expr=${expr}`);
  const list = page.getByRole('log');
  await list.getByText(`number ${lines - 1}`, { exact: true }).waitFor();
  await until('the last line is in sight', async () => {
    await list.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    return list.getByText('number 0', { exact: true }).isVisible();
  });
  // However long the list is, the page has only what is in sight and a little around it.
  const rows = await list.locator('.log-row').count();
  assert(rows < 200, `${rows} rows are in the page`);
  // With the keyboard alone, and back: what was read is still there.
  await list.focus();
  await page.keyboard.press('Home');
  await list.getByText(`number ${lines - 1}`, { exact: true }).waitFor();
});

step('a metric of lines is explored, and what is wrong is told', async ({ page, faults }) => {
  const expr = 'sum by (level) (count_over_time({app="api"} | json | level!="" [1m]))';
  await page.goto(`/explore/logs?${RANGE}&expr=${encodeURIComponent(expr)}`);
  await page.locator('.explore-panel canvas').first().waitFor();
  await page.getByRole('button', { name: /^(INFO|\{level="INFO"\})$/ }).waitFor();
  for (const [kind, wrong] of [
    ['metrics', 'sum(up'],
    ['logs', 'rate({app="api"} | jsn [1m])'],
  ]) {
    await page.goto(`/explore/${kind}?${RANGE}&expr=${encodeURIComponent(wrong)}`);
    await page
      .getByText(/parse error/i)
      .first()
      .waitFor();
  }
  // Nothing that the page still asks is noted as a fault of the next step.
  await page.goto('about:blank');
  // The server refuses what is wrong with 400, which the browser notes by itself.
  const ours = faults.filter((fault) => !fault.includes('400 (Bad Request)'));
  faults.splice(0, faults.length, ...ours);
});

step('from a metric to the logs of its labels, and to one request', async ({ page }) => {
  const expr = encodeURIComponent(
    'sum by (namespace, pod) (rate(http_requests_total{job="api"}[1m]))',
  );
  await page.goto(`/explore/metrics?${RANGE}&expr=${expr}`);
  await page.getByRole('button', { name: 'Logs of these' }).click();
  const line = page.locator('.log-line').filter({ hasText: 'request_id' }).first();
  await line.click();
  const row = page
    .locator('.log-details tr')
    .filter({ has: page.getByRole('rowheader', { name: 'request_id', exact: true }) })
    .first();
  const id = (await row.locator('bdi').textContent())?.trim();
  await row.getByRole('button', { name: 'All its lines' }).click();
  await page.waitForURL((url) => decodeURIComponent(url.search).includes(id));
  await page.locator('.log-line').filter({ hasText: id }).first().waitFor();
});

step('lines come as they are written', async ({ page }) => {
  const expr = encodeURIComponent('{app="api"}');
  await page.goto(`/explore/logs?${RANGE}&expr=${expr}`);
  await page.getByRole('button', { name: 'Live' }).click();
  const last = () => page.locator('.log-line').last().textContent();
  await page.locator('.log-line').first().waitFor();
  const before = await last();
  await until('a line that was not there', async () => (await last()) !== before);
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.locator('.log-line').last().click();
  // What the line has of its own stands apart from the labels of its stream.
  const details = page.locator('.log-details').first();
  await details.getByRole('rowheader', { name: 'Structured metadata' }).waitFor();
  await details.getByRole('rowheader', { name: 'detected_level', exact: true }).waitFor();
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByRole('button', { name: 'Live' }).waitFor();
});

step('rules and alerts are shown by their state', async ({ page }) => {
  await page.goto('/alerts');
  const row = page.getByRole('row').filter({ hasText: 'AlwaysOn' });
  await until('the alert fires', async () => (await row.getByText('firing').count()) > 0);
  await row.getByText('severity=').waitFor();
  await page.getByText(/\d+ recording/).click();
  await page.getByRole('row').filter({ hasText: 'job:up:sum' }).waitFor();
  assert.equal(await row.count(), 0);
  await page.getByRole('link', { name: 'sum by (job) (up)' }).click();
  await page.waitForURL(/\/explore\/metrics\?.*expr=/);
});

step('discovery says which rule left a target out', async ({ page }) => {
  await page.goto('/discovery');
  const job = page.getByRole('region', { name: 'left-out' });
  await job.getByText(/Nothing is scraped: the only target was dropped/).waitFor();
  await job.getByRole('button', { name: 'Why?' }).click();
  await job.getByText('This rule dropped it.').waitFor();
  assert.deepEqual(await findings(page), []);
});

step('the slow queries tell where the time went', async ({ page }) => {
  await page.goto('/queries');
  const slowest = page.getByRole('region', { name: 'Slowest' });
  const done = slowest
    .getByRole('row')
    .filter({ has: page.getByText('done', { exact: true }) })
    .first();
  // Under the pointer rows keep their places, whatever ends meanwhile.
  await done.hover();
  const query = await done.locator('.query-text').textContent();
  await done.getByRole('button', { name: 'Where did the time go?' }).click();
  const opened = slowest.getByRole('row').filter({ has: page.locator('.query-step') });
  await opened.first().waitFor();
  assert.equal(await opened.locator('.query-text').textContent(), query);
  assert.deepEqual(await findings(page), []);
});

step('the keyboard alone opens a board and its menus', async ({ page }) => {
  await page.goto('/');
  const search = page.getByRole('textbox', { name: 'Search dashboards' });
  await search.waitFor();
  // Until the list is there, Enter has nothing to open.
  await page.getByRole('link', { name: 'Host' }).first().waitFor();
  await search.focus();
  await page.keyboard.type('host');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/d\/host/);
  await page.locator('section.panel').first().waitFor();
  const tabTo = async (start) => {
    for (let at = 0; at < 400; at += 1) {
      await page.keyboard.press('Tab');
      const label = await page.evaluate(
        () => document.activeElement?.getAttribute('aria-label') ?? '',
      );
      if (label.startsWith(start)) return;
    }
    assert.fail(`the keyboard does not reach "${start}"`);
  };
  await tabTo('Menu of ');
  await page.keyboard.press('Enter');
  await focusIn(page, 'menu');
  await page.keyboard.press('Escape');
  // A menu that is still closing keeps the focus.
  await page.getByRole('menuitem', { name: 'Inspect' }).waitFor({ state: 'detached' });
  await tabTo('Time range:');
  // A dialog gives the focus back to where it was opened.
  await tabTo('Menu of ');
  await page.keyboard.press('Enter');
  await focusIn(page, 'menu');
  await page.getByRole('menuitem', { name: 'Inspect' }).focus();
  await page.keyboard.press('Enter');
  await focusIn(page, 'dialog');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await until('the menu has the focus again', () =>
    page.evaluate(() => document.activeElement?.getAttribute('aria-label')?.startsWith('Menu of ')),
  );
});

step(
  'boards are accessible, dark and light, wide and narrow',
  async ({ page }) => {
    const found = new Set();
    for (const [colorScheme, width] of [
      ['dark', 1440],
      ['light', 1440],
      ['light', 390],
    ]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      for (const uid of ['api-overview', 'api-logs']) {
        await page.goto(board(uid));
        await allDrawn(page, (name) => QUIET.test(name));
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        assert(wide <= width, `${uid} is ${wide} pixels wide on a screen of ${width}`);
        for (const one of await findings(page)) found.add(`${uid} ${colorScheme} ${width}: ${one}`);
      }
    }
    assert.deepEqual([...found], []);
  },
  'look',
);

if (dashboards !== undefined)
  step(
    'every panel of the corpus is drawn',
    async ({ page }) => {
      const answer = await fetch(`${stack.url}/api/search?tag=corpus`);
      const hits = (await answer.json()).filter((hit) => hit.tags.includes('corpus'));
      assert(hits.length > 30, `${hits.length} boards of the corpus`);
      // A panel of this one shows what was a minute ago, when there may have been nothing yet.
      hits.sort((a, b) => Number(a.uid === 'corpus-board') - Number(b.uid === 'corpus-board'));
      for (const { uid, url } of hits) {
        await page.goto(`${url}?${RANGE}`);
        await until(`${uid} is there`, async () => (await panels(page)).length > 0);
        await allDrawn(page, () => uid === 'corpus-transformations' || uid === 'corpus-inputs');
        assert.equal(await page.getByText('are not supported').count(), 0, uid);
      }
    },
    'corpus',
  );

const failed = [];
const only = new RegExp(process.env.E2E_ONLY ?? '');

async function runLane({ page, faults }, steps) {
  for (const [name, run] of steps.filter(([name]) => only.test(name))) {
    const started = performance.now();
    let verdict = 'ok';
    try {
      await run({ page, faults });
      assert.deepEqual(faults, []);
    } catch (error) {
      verdict = `FAILED at ${page.url()}: ${error.message}`;
      failed.push(name);
      faults.length = 0;
    }
    const seconds = ((performance.now() - started) / 1_000).toFixed(1);
    process.stdout.write(`${name} (${seconds} s): ${verdict}\n`);
  }
}

let browser;
try {
  const opened = await startBrowser(executablePath, stack.url);
  browser = opened.browser;
  const others = await Promise.all(
    [lanes.look, lanes.corpus].map(async (steps) => [await openPage(browser, stack.url), steps]),
  );
  await Promise.all([[opened, lanes.use], ...others].map((lane) => runLane(...lane)));
} finally {
  await browser?.close();
  await stack.stop();
}
assert.deepEqual(failed, []);
