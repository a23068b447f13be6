// BullMQ in one role: node bullmq.mjs single|bulk|work URL JOBS
// Says in one line of JSON how long it took. Its defaults: state and result are kept.
import { createRequire } from 'node:module';

// Where ./run installs it.
const require = createRequire(new URL('target/bullmq/', import.meta.url));
const { Queue, Worker } = require('bullmq');

const [role, url, count] = process.argv.slice(2);
const jobs = Number(count);
const { hostname: host, port } = new URL(url);
const connection = { host, port: Number(port), maxRetriesPerRequest: null };
const queue = new Queue('bench', { connection });
await queue.waitUntilReady();
const args = (n) => ({ a: 100000 + n, b: 2 });

let begun, used;
function begin() {
  used = process.cpuUsage();
  begun = process.hrtime.bigint();
}
function say() {
  const seconds = Number(process.hrtime.bigint() - begun) / 1e9;
  const { user, system } = process.cpuUsage(used);
  console.log(JSON.stringify({ jobs, seconds, cpu_seconds: (user + system) / 1e6 }));
}

async function single() {
  for (let n = 0; n < jobs; n++) await queue.add('add', args(n));
}

async function bulk() {
  for (let n = 0; n < jobs; n += 1000) {
    const many = Array.from({ length: Math.min(1000, jobs - n) }, (_, i) => ({ name: 'add', data: args(n + i) }));
    await queue.addBulk(many);
  }
}

async function work() {
  let left = jobs;
  let all;
  const done = new Promise((resolve) => (all = resolve));
  const worker = new Worker('bench', async (job) => job.data.a + job.data.b, { connection, concurrency: 10 });
  // After the server has taken the result.
  worker.on('completed', () => --left || all());
  worker.on('error', (error) => { throw error; });
  await done;
  return worker;
}

begin();
const worker = await { single, bulk, work }[role]();
say();
if (worker) {
  const finished = await queue.getCompletedCount();
  if (finished !== jobs) throw new Error(`${finished} jobs finished of ${jobs}`);
  const [last] = await queue.getCompleted(0, 0);
  if (last.returnvalue !== last.data.a + 2) throw new Error(`a wrong result: ${last.returnvalue}`);
  await worker.close();
}
await queue.close();
