/**
 * The application in a real browser over a real server: every page opens without an error, nothing
 * leaves this origin, no serious finding of axe, light and dark, wide and narrow.
 *
 * Usage: node e2e/smoke.mjs BINARY CHROMIUM
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const [binary, executablePath] = process.argv.slice(2);
assert(binary && executablePath, 'usage: node e2e/smoke.mjs BINARY CHROMIUM');

const WAIT = 60_000;
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const scratch = await mkdtemp(join(tmpdir(), 'masthead-smoke-'));
const server = spawn(
  binary,
  [
    'serve',
    '--data',
    join(scratch, 'data'),
    '--listen',
    '127.0.0.1:0',
    '--prometheus-listen',
    'off',
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);

/** The address in the log line of the listener. */
async function listening() {
  for await (const line of createInterface({ input: server.stdout })) {
    const { message, address } = JSON.parse(line);
    if (message === 'Listening.') return `http://${address}`;
  }
  throw new Error('the server ended before it listened');
}

const PAGES = [
  ['/', 'Dashboards'],
  ['/d/host/host', 'Host'],
  ['/d/masthead/masthead', 'Masthead'],
  ['/d/api-overview/api-overview', 'API overview'],
  ['/d/kubernetes-workloads/kubernetes-workloads', 'Kubernetes workloads'],
  ['/targets', 'Targets'],
  ['/alerts', 'Rules and alerts'],
  ['/cardinality', 'Cardinality'],
  ['/status', 'Status'],
];

async function open(page, path) {
  const faults = [];
  const note = (what) => faults.push(`${path}: ${what}`);
  const noteConsole = (message) => {
    // What the server refuses is shown on the page; faults of the page itself are ours.
    if (message.type() === 'error' && !message.text().includes('Failed to load resource'))
      note(message.text());
  };
  const noteError = (error) => note(error.message);
  page.on('console', noteConsole);
  page.on('pageerror', noteError);
  await page.goto(path, { timeout: WAIT });
  return {
    done: () => {
      page.off('console', noteConsole);
      page.off('pageerror', noteError);
      assert.deepEqual(faults, []);
    },
  };
}

/** What axe found on all pages, told together at the end. */
const findings = new Set();

async function accessible(page, path) {
  // Through the debugger: the page's own policy allows no script but its own.
  const found = await page.evaluate(`${axe}; axe.run(document, { resultTypes: ['violations'] })`);
  for (const { id, impact, nodes } of found.violations) {
    if (impact !== 'serious' && impact !== 'critical') continue;
    findings.add(`${path}: ${id}: ${nodes[0]?.html} ${nodes[0]?.any[0]?.message ?? ''}`);
  }
}

let browser;
try {
  const baseURL = await listening();
  // Nobody reads the rest of the log, and a full pipe would stop the server.
  server.stdout.resume();
  browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'],
  });
  const context = await browser.newContext({ baseURL });
  context.setDefaultTimeout(WAIT);
  const page = await context.newPage();
  page.on('request', (request) => {
    assert(request.url().startsWith(baseURL), `a request leaves: ${request.url()}`);
  });
  for (const [colorScheme, width] of [
    ['dark', 1440],
    ['light', 390],
  ]) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 900 });
    for (const [path, title] of PAGES) {
      const opened = await open(page, path);
      await page.getByRole('heading', { level: 1, name: title, exact: true }).waitFor();
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert(wide <= width, `${path} is ${wide} pixels wide on a screen of ${width}`);
      await accessible(page, path);
      opened.done();
    }
  }
  assert.deepEqual([...findings], []);
  // The server scrapes itself: an expression has an answer soon, and the address keeps it.
  await page.setViewportSize({ width: 1440, height: 900 });
  const explore = await open(page, '/explore/metrics?from=now-5m&to=now');
  await page.getByRole('textbox', { name: 'Expression in PromQL' }).fill('up');
  await page.keyboard.press('Enter');
  await page.waitForURL(/expr=up/);
  const found = page.getByText(/^[1-9]\d* series/);
  const until = Date.now() + WAIT;
  while (!(await found.isVisible())) {
    assert(Date.now() < until, 'the server has no series of `up` yet');
    await page.getByRole('button', { name: 'Refresh' }).last().click();
    await page.waitForTimeout(1_000);
  }
  explore.done();
  process.stdout.write('every page opened, no fault, no serious finding\n');
} finally {
  await browser?.close();
  server.kill('SIGTERM');
  await new Promise((ended) => server.once('exit', ended));
  await rm(scratch, { recursive: true, force: true });
}
