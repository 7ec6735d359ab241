/**
 * A server with live data for the browser's tests: the items API under traffic, its log collected,
 * a cluster's metrics, this machine, lines that try to be markup. All on loopback, all ended by
 * `stop()`.
 */

import { spawn } from 'node:child_process';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

const NAMESPACE = 'devops-demo';

/** Starts everything; `dashboards` is a folder shown beside those that ship. */
export async function startStack(binary, { dashboards, scrapeEvery = '1s' } = {}) {
  const scratch = await mkdtemp(join(tmpdir(), 'masthead-e2e-'));
  const ends = [];
  const stop = async () => {
    for (const end of ends.reverse()) await end();
    await rm(scratch, { recursive: true, force: true });
  };
  try {
    const api = await startApi(binary, scratch, ends);
    const cluster = await startCluster(ends);
    await writeFile(
      join(scratch, 'prometheus.yml'),
      [
        `global: {scrape_interval: ${scrapeEvery}, scrape_timeout: 1s, evaluation_interval: 1s}`,
        `rule_files: ['${join(scratch, 'rules.yml')}']`,
        'scrape_configs:',
        target('api', api.metrics, {
          namespace: NAMESPACE,
          service: 'api',
          pod: 'api-0',
          container: 'api',
        }),
        target('cluster', cluster, {}),
        `- {job_name: left-out, static_configs: [{targets: ['${cluster}']}], relabel_configs: [{action: drop, source_labels: [job], regex: left-.*}]}`,
        '',
      ].join('\n'),
    );
    await writeFile(
      join(scratch, 'rules.yml'),
      [
        'groups:',
        '- name: test',
        '  rules:',
        '  - {record: job:up:sum, expr: sum by (job) (up)}',
        `  - {alert: AlwaysOn, expr: 'up{job="api"} == 1', labels: {severity: info}}`,
        `  - {alert: NeverOn, expr: 'up{job="api"} > 1'}`,
        '',
      ].join('\n'),
    );
    await writeFile(
      join(scratch, 'promtail.yml'),
      [
        'scrape_configs:',
        '- job_name: api',
        '  static_configs:',
        '  - targets: [localhost]',
        `    labels: {namespace: ${NAMESPACE}, app: api, job: ${NAMESPACE}/api, pod: api-0, container: api, __path__: ${join(scratch, 'api.log')}}`,
        '',
      ].join('\n'),
    );
    const url = await startServer(binary, scratch, dashboards, ends);
    const traffic = startTraffic(api.url);
    ends.push(() => traffic.stop());
    return { url, api: api.url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function target(job, address, labels) {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}: ${value}`);
  return `- {job_name: ${job}, honor_labels: true, static_configs: [{targets: ['${address}'], labels: {${pairs.join(', ')}}}]}`;
}

function ending(child) {
  const exited = new Promise((ended) => child.once('exit', ended));
  return async () => {
    child.kill('SIGTERM');
    await exited;
  };
}

/** The items API; its log goes through here into the file that is collected. */
async function startApi(binary, scratch, ends) {
  const child = spawn(join(dirname(binary), 'items-api'), {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      LISTEN_ADDR: '127.0.0.1:0',
      METRICS_ADDR: '127.0.0.1:0',
      DATABASE_URL: `sqlite://${join(scratch, 'items.db')}?mode=rwc`,
      DEMO_FAULTS: '1',
      LOG_FORMAT: 'json',
      SHUTDOWN_DELAY: '0s',
    },
  });
  ends.push(ending(child));
  const log = await open(join(scratch, 'api.log'), 'a');
  ends.push(() => log.close());
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => reject(new Error('items-api ended before it listened')));
    createInterface({ input: child.stdout }).on('line', (line) => {
      log.write(`${line}\n`).catch(() => {});
      const { message, listen_addr, metrics_addr } = JSON.parse(line);
      if (message === 'Listening.')
        resolve({ url: `http://${listen_addr}`, metrics: metrics_addr });
    });
  });
}

async function startServer(binary, scratch, dashboards, ends) {
  const flags = ['--data', join(scratch, 'data'), '--listen', '127.0.0.1:0'];
  flags.push('--prometheus-listen', 'off', '--loki-listen', 'off');
  flags.push('--prometheus-config', join(scratch, 'prometheus.yml'));
  flags.push('--promtail-config', join(scratch, 'promtail.yml'));
  if (dashboards !== undefined) flags.push('--dashboards', dashboards);
  const server = spawn(binary, ['serve', ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
  ends.push(ending(server));
  for await (const line of createInterface({ input: server.stdout })) {
    const { message, address } = JSON.parse(line);
    if (message !== 'Listening.') continue;
    // Nobody reads the rest of the log, and a full pipe would stop the server.
    server.stdout.resume();
    return `http://${address}`;
  }
  throw new Error('the server ended before it listened');
}

/** Requests of every kind: pages, single items, changes, mistakes, faults. */
function startTraffic(url) {
  let on = true;
  const ids = [];
  const one = async (turn) => {
    const json = (method, body) => ({
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const item = { name: `item ${turn}`, price: '1.50', description: 'made by a test' };
    switch (turn % 10) {
      case 0:
      case 1: {
        const made = await fetch(`${url}/items`, json('POST', item));
        if (made.ok) ids.push((await made.json()).id);
        return;
      }
      case 2:
        return fetch(`${url}/items/${ids.at(-1)}`, json('PUT', { ...item, price: '2.00' }));
      case 3:
        return ids.length > 8 ? fetch(`${url}/items/${ids.shift()}`, { method: 'DELETE' }) : null;
      case 4:
        return fetch(`${url}/items/999999999`);
      case 5:
        return fetch(`${url}/items`, json('POST', { name: '' }));
      case 6:
        return fetch(`${url}/demo/${turn % 20 === 6 ? 'fail' : 'slow?ms=120'}`);
      default:
        return fetch(`${url}/items?limit=5`);
    }
  };
  const done = (async () => {
    for (let turn = 0; on; turn += 1) {
      await one(turn).then(
        (answer) => answer?.body?.cancel(),
        () => {},
      );
      await new Promise((next) => setTimeout(next, 60));
    }
  })();
  return {
    stop: () => {
      on = false;
      return done;
    },
  };
}

/** What cAdvisor and kube-state-metrics say of a few pods. */
async function startCluster(ends) {
  const started = Date.now();
  const pods = ['api-7d9f-x2k4q', 'api-7d9f-m8w1z', 'masthead-0', 'worker-5c6b-p3n7r'];
  const server = createServer((_, response) => {
    const seconds = (Date.now() - started) / 1_000;
    const lines = [];
    const say = (name, labels, value) => {
      const pairs = Object.entries(labels).map(([k, v]) => `${k}="${v}"`);
      lines.push(`${name}{${pairs.join(',')}} ${value}`);
    };
    pods.forEach((pod, at) => {
      const of = { namespace: NAMESPACE, pod };
      const box = { ...of, container: 'main' };
      say('kube_pod_info', { ...of, node: `node-${at % 2}` }, 1);
      for (const phase of ['Running', 'Pending', 'Failed', 'Unknown'])
        say('kube_pod_status_phase', { ...of, phase }, phase === 'Running' ? 1 : 0);
      say('kube_pod_status_ready', { ...of, condition: 'true' }, 1);
      say('kube_pod_container_status_restarts_total', box, at === 3 ? Math.floor(seconds / 9) : 0);
      say('kube_pod_container_resource_limits', { ...box, resource: 'memory' }, 256 << 20);
      const wave = 1 + 0.3 * Math.sin(seconds / 20 + at);
      say('container_cpu_usage_seconds_total', box, seconds * 0.05 * (at + 1) + wave * 0.2);
      say('container_memory_working_set_bytes', box, Math.round((40 + 25 * at) * wave) << 20);
      say('container_cpu_cfs_periods_total', box, Math.floor(seconds * 10));
      say('container_cpu_cfs_throttled_periods_total', box, Math.floor(seconds * at * 0.4));
    });
    say('kube_deployment_spec_replicas', { namespace: NAMESPACE, deployment: 'api' }, 2);
    say(
      'kube_deployment_status_replicas_available',
      { namespace: NAMESPACE, deployment: 'api' },
      2,
    );
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(`${lines.join('\n')}\n`);
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  ends.push(
    () =>
      new Promise((closed) => {
        server.close(closed);
        server.closeAllConnections();
      }),
  );
  return `127.0.0.1:${server.address().port}`;
}

/** Lines and labels that a careless page would run, colour, turn around or break under. */
export const HOSTILE = [
  '<img src=x onerror="window.hacked = 1"><script>window.hacked = 1</script>',
  '\u001b[31mred\u001b[0m \u001b]8;;javascript:window.hacked=1\u0007link\u001b]8;;\u0007',
  '\u202egnol si siht\u202c \u2066isolated\u2069',
  'w'.repeat(200_000),
];

/** Pushed when they are looked for: a slow machine takes minutes to come that far. */
export async function pushHostile(url) {
  const now = BigInt(Date.now()) * 1_000_000n;
  const values = HOSTILE.map((line, at) => [String(now + BigInt(at)), line]);
  await push(url, { app: 'hostile', job: 'hostile', note: '<b>bold</b> "quoted" \u202ex' }, values);
}

/** Lines of one stream, some of which share their instant. */
export async function pushMany(url, app, count) {
  const end = BigInt(Date.now()) * 1_000_000n;
  const values = Array.from({ length: count }, (_, at) => [
    String(end - BigInt(Math.floor((count - at) / 3)) * 1_000_000n),
    `number ${at}`,
  ]);
  await push(url, { app }, values);
}

async function push(url, stream, values) {
  const answer = await fetch(`${url}/loki/api/v1/push`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ streams: [{ stream, values }] }),
  });
  if (!answer.ok) throw new Error(`lines were refused: ${await answer.text()}`);
}
