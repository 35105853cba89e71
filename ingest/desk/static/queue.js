// Sends what waits on this device until the server has answered for each. An
// event keeps its id, so sending it twice counts once.
import { readable } from './rules.js';
import * as store from './store.js';

const atOnce = 100; // events in one request
const patience = 30e3; // ms for one request
const longestPause = 60e3;

// nextBatch takes the first unsent event of every case: a case is sent in its
// order, and behind an event that was refused it waits.
export function nextBatch(records, most = atOnce) {
  const begun = new Set(), batch = [];
  for (const r of records.filter(readable)) {
    if (r.state === 'sent') continue;
    if (r.state === 'waiting' && !begun.has(r.event.subject) && batch.length < most) batch.push(r);
    begun.add(r.event.subject);
  }
  return batch;
}

// server is what answers told beside their results: by how many ms this
// device's clock is ahead of the server's.
export const server = { ahead: 0 };

// post sends a batch. It returns the changes to the records and, when sending
// has to pause, why: network, busy, login or server, and for how long at least.
async function post(batch) {
  let answer, body;
  try {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), patience);
    const asked = Date.now();
    try {
      answer = await fetch('/api/v1/events', {
        method: 'POST', signal: stop.signal, credentials: 'same-origin', cache: 'no-store',
        headers: { 'Content-Type': 'application/cloudevents-batch+json' }, body: JSON.stringify(batch.map((r) => r.event)),
      });
      const date = Date.parse(answer.headers.get('Date') ?? '');
      if (!Number.isNaN(date)) server.ahead = (asked + Date.now()) / 2 - date;
      body = await answer.json().catch(() => null);
    } finally {
      clearTimeout(timer);
    }
  } catch {
    return { changes: [], pause: { why: 'network', atLeast: 0 } };
  }
  const wait = (why) => ({ changes: [], pause: { why, atLeast: 1000 * Math.min(Number(answer.headers.get('Retry-After')) || 0, 600) } });
  switch (answer.status) {
    case 202: case 422: case 503:
      if (Array.isArray(body?.results) && body.results.length === batch.length) return judged(batch, body.results, wait);
      return wait('server');
    case 401: case 403:
      return wait('login');
    case 429:
      return wait('busy');
    case 400: case 413: case 415:
      if (batch.length > 1) return { changes: [], smaller: true };
      return { changes: [[batch[0].seq, { state: 'rejected', errors: [{ location: 'event', message: String(body?.detail ?? answer.status) }] }]] };
  }
  return wait('server'); // also pages of other servers on the way
}

function judged(batch, results, wait) {
  const changes = [];
  let again = false;
  results.forEach((r, i) => {
    if (r.id !== batch[i].event.id && r.id !== '') again = true;
    else if (r.status === 'accepted') changes.push([batch[i].seq, { state: 'sent', errors: [] }]);
    else if (r.retry) again = true;
    else changes.push([batch[i].seq, { state: 'rejected', errors: r.errors ?? [] }]);
  });
  return again ? { ...wait('busy'), changes } : { changes };
}

// Sender sends when told to, and by itself after a pause. onChange hears of
// every change and, as its argument, why sending pauses, if it does.
export class Sender {
  #busy = false;
  #again = false;
  #timer = 0;
  #failures = 0;
  #onChange;

  constructor(onChange) { this.#onChange = onChange; }

  // send sends now, whatever pause there was.
  async send() {
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    clearTimeout(this.#timer);
    try {
      do {
        this.#again = false;
        await this.#alone(() => this.#run());
      } while (this.#again);
    } catch (err) {
      this.#later('server', 0);
      console.warn('desk: sending', err);
    } finally {
      this.#busy = false;
    }
  }

  // Of several open pages one sends at a time.
  async #alone(work) {
    if (!navigator.locks) return work();
    return navigator.locks.request('zhiban-desk-send', { ifAvailable: true }, (lock) => (lock ? work() : this.#later('', 3000)));
  }

  async #run() {
    let most = atOnce;
    for (;;) {
      const batch = nextBatch(await store.all(), most);
      if (batch.length === 0) {
        this.#failures = 0;
        this.#onChange('');
        return;
      }
      const { changes, pause, smaller } = await post(batch);
      if (smaller) most = Math.max(1, Math.floor(batch.length / 2));
      if (changes.length > 0) {
        await store.change(changes);
        this.#failures = 0;
      }
      if (pause) {
        this.#later(pause.why, pause.atLeast);
        return;
      }
      if (changes.length > 0) this.#onChange('');
    }
  }

  #later(why, atLeast) {
    const pause = Math.min(longestPause, 1000 * 2 ** this.#failures) * (0.75 + Math.random() / 2);
    this.#failures = Math.min(this.#failures + 1, 10);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.send(), Math.max(pause, atLeast));
    if (why) this.#onChange(why);
  }
}
