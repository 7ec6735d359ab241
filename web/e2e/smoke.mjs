/**
 * The application in a real browser over a server that wants a login: the way in and out, what a
 * role may do, and every page without an error, a request elsewhere or a serious finding of axe,
 * dark and wide, light and narrow.
 *
 * Usage: node e2e/smoke.mjs BINARY CHROMIUM
 */

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { findings, startBrowser, untilSeries } from './page.mjs';

const [binary, executablePath] = process.argv.slice(2);
assert(binary && executablePath, 'usage: node e2e/smoke.mjs BINARY CHROMIUM');

const ADMIN = ['admin', 'correct horse'];
const VIEWER = ['vera', 'battery staple'];

/** Path, and the title that stands on the page. */
const PAGES = [
  ['/', 'Dashboards'],
  ['/d/host/host', 'Host'],
  ['/d/masthead/masthead', 'Masthead'],
  ['/d/api-overview/api-overview', 'API overview'],
  ['/d/api-logs/api-logs', 'API logs'],
  ['/d/kubernetes-workloads/kubernetes-workloads', 'Kubernetes workloads'],
  ['/explore/metrics?expr=up', 'Explore'],
  ['/explore/logs?expr=%7Bjob%3D~%22.%2B%22%7D', 'Explore'],
  ['/targets', 'Targets'],
  ['/discovery', 'Discovery'],
  ['/alerts', 'Rules and alerts'],
  ['/cardinality', 'Cardinality'],
  ['/queries', 'Queries'],
  ['/status', 'Status'],
  ['/no-such-page', 'There is no page here'],
];

const scratch = await mkdtemp(join(tmpdir(), 'masthead-smoke-'));

async function startServer() {
  const hash = promisify(execFile)(binary, ['hash-password']);
  hash.child.stdin.end(VIEWER[1]);
  const auth = join(scratch, 'auth.yaml');
  const password = join(scratch, 'password');
  const hashed = JSON.stringify((await hash).stdout.trim());
  await writeFile(auth, `users: [{name: ${VIEWER[0]}, role: view, password_hash: ${hashed}}]\n`);
  await writeFile(password, ADMIN[1]);
  const flags = ['--data', join(scratch, 'data'), '--listen', '127.0.0.1:0'];
  flags.push('--prometheus-listen', 'off', '--loki-listen', 'off');
  flags.push('--auth.admin-password-file', password, '--auth.file', auth);
  return spawn(binary, ['serve', ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** The address in the log line of the listener. */
async function listening(server) {
  for await (const line of createInterface({ input: server.stdout })) {
    const { message, address } = JSON.parse(line);
    if (message !== 'Listening.') continue;
    // Nobody reads the rest of the log, and a full pipe would stop the server.
    server.stdout.resume();
    return `http://${address}`;
  }
  throw new Error('the server ended before it listened');
}

/** What axe found on all pages, told together at the end. */
const found = new Set();

async function look(page, path, width) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert(wide <= width, `${path} is ${wide} pixels wide on a screen of ${width}`);
  for (const one of await findings(page)) found.add(`${path} at ${width}: ${one}`);
}

async function logIn(page, [user, password]) {
  await page.getByRole('textbox', { name: 'User' }).fill(user);
  await page.keyboard.press('Tab');
  await page.keyboard.type(password);
  await page.keyboard.press('Enter');
}

async function logOut(page, user) {
  await page.getByRole('button', { name: `Account of ${user}` }).click();
  await page.getByRole('menuitem', { name: 'Log out' }).click();
  await page.getByRole('heading', { name: 'Log in to Masthead' }).waitFor();
}

/** A stranger sees the login alone; a wrong password is told, the right one leads on. */
async function theWayIn(page) {
  await page.goto('/targets');
  await page.waitForURL('/login?next=%2Ftargets');
  await look(page, '/login', 1440);
  await page.setViewportSize({ width: 390, height: 900 });
  await look(page, '/login', 390);
  await page.setViewportSize({ width: 1440, height: 900 });
  await logIn(page, [ADMIN[0], 'wrong']);
  await page.getByRole('alert').waitFor();
  assert.equal(await page.getByLabel('Password', { exact: true }).inputValue(), '');
  await logIn(page, ADMIN);
  await page.waitForURL('/targets');
  await page.getByRole('heading', { level: 1, name: 'Targets' }).waitFor();
}

async function everyPage(page) {
  for (const [colorScheme, width] of [
    ['dark', 1440],
    ['light', 390],
  ]) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 900 });
    for (const [path, title] of PAGES) {
      await page.goto(path);
      await page.getByRole('heading', { level: 1, name: title, exact: true }).waitFor();
      await look(page, path, width);
    }
  }
  await page.setViewportSize({ width: 1440, height: 900 });
}

/** The server scrapes itself: an expression has an answer soon, and the address keeps it. */
async function anExpression(page) {
  await page.goto('/explore/metrics?from=now-5m&to=now');
  await page.getByRole('textbox', { name: 'Expression in PromQL' }).fill('up');
  await page.keyboard.press('Enter');
  await page.waitForURL(/expr=up/);
  await untilSeries(page);
}

/** Whether a dashboard would be taken, asked as the page asks. */
const save = (page) =>
  page.evaluate(async () => {
    const dashboard = { uid: 'smoke', title: 'Smoke', schemaVersion: 39, panels: [] };
    const answer = await fetch('/api/dashboards/db', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ dashboard, overwrite: true }),
    });
    return answer.status;
  });

/** What changes something is offered to an admin, and neither offered to a viewer nor done. */
async function roles(page) {
  const upload = page.getByRole('button', { name: 'Upload' });
  const copy = page.getByRole('menuitem', { name: 'Save a copy' });
  const fileMenu = page.getByRole('button', { name: 'File of the dashboard' });
  const open = async () => {
    await page.goto('/dashboards');
    await page.getByRole('link', { name: 'Host' }).first().waitFor();
    const uploads = await upload.count();
    await page.goto('/d/host/host');
    await fileMenu.click();
    await page.getByRole('menuitem').first().waitFor();
    const copies = await copy.count();
    await page.keyboard.press('Escape');
    return [uploads, copies, await save(page)];
  };
  assert.deepEqual(await open(), [1, 1, 200], 'an admin');
  await logOut(page, ADMIN[0]);
  assert.equal(await save(page), 401, 'nobody');
  await logIn(page, VIEWER);
  await page.getByRole('button', { name: `Account of ${VIEWER[0]}` }).waitFor();
  assert.deepEqual(await open(), [0, 0, 403], 'a viewer');
  await logOut(page, VIEWER[0]);
  await page.goBack();
  await page.getByRole('heading', { name: 'Log in to Masthead' }).waitFor();
}

const server = await startServer();
let browser;
try {
  const opened = await startBrowser(executablePath, await listening(server));
  browser = opened.browser;
  for (const run of [theWayIn, everyPage, anExpression, roles]) await run(opened.page);
  assert.deepEqual([...found], []);
  // What the server refuses is shown on the page; faults of the page itself are ours.
  const faults = opened.faults.filter((fault) => !fault.includes('Failed to load resource'));
  assert.deepEqual(faults, []);
  process.stdout.write('login, roles and every page: no fault, no serious finding\n');
} finally {
  await browser?.close();
  server.kill('SIGTERM');
  await new Promise((ended) => server.once('exit', ended));
  await rm(scratch, { recursive: true, force: true });
}
