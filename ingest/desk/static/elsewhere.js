// What waits at the station but was begun at another device, as the platform
// told it last. That is kept, so that it is there without a network too.
import { readableCase } from './rules.js';

const key = 'zhiban-desk-open';
const patience = 10e3; // ms for one answer

// Known is {station, at, total, cases, ended, why}: at is when the platform was
// asked, in ms, 0 for never; total how many cases are open, of which cases are the
// newest; ended the subjects of cases of this device that went on elsewhere; why
// the last question was not answered: network, server, login, or alone when this
// address takes entries but knows no cases.
const nothing = (station) => ({ station, at: 0, total: 0, cases: [], ended: [], why: '' });

// remembered is what was told last about a station.
export function remembered(station) {
  try {
    const { station: of, at, total, cases, ended } = JSON.parse(localStorage.getItem(key));
    if (of !== station || !Number.isSafeInteger(at) || !Number.isSafeInteger(total)) return nothing(station);
    return { station, at, total, cases: cases.filter(readableCase), ended: ended.filter((s) => typeof s === 'string'), why: '' };
  } catch { // nothing is remembered, or it is unreadable
    return nothing(station);
  }
}

async function get(path) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), patience);
  try {
    const answer = await fetch(path, { signal: stop.signal, credentials: 'same-origin', cache: 'no-store' });
    return { status: answer.status, body: await answer.json().catch(() => null) };
  } finally {
    clearTimeout(timer);
  }
}

// ask asks what is open at a station. own are the cases of this device that are
// sent and open as far as it knows: {subject, id of their first event, until}.
export async function ask(station, own) {
  const old = remembered(station);
  try {
    const { status, body } = await get('/api/v1/open-cases?station=' + encodeURIComponent(station));
    if (status === 404 || status === 405) return { ...nothing(station), why: 'alone' };
    if (status === 401 || status === 403) return { ...old, why: 'login' };
    if (status !== 200 || !Array.isArray(body?.cases)) return { ...old, why: 'server' };
    const cases = body.cases.filter(readableCase);
    const open = new Set(cases.map((c) => c.subject));
    const ended = [];
    for (const o of own) {
      if (!open.has(o.subject) && (old.ended.includes(o.subject) || await hasEnded(o))) ended.push(o.subject);
    }
    const known = { station, at: Date.now(), total: Number(body.total) || cases.length, cases, ended };
    try {
      localStorage.setItem(key, JSON.stringify(known));
    } catch { /* it holds until the page is left */ }
    return { ...known, why: '' };
  } catch {
    return { ...old, why: 'network' };
  }
}

// hasEnded tells whether a case that is not among the open ones has ended, or
// was voided. It may also be that the platform has not come to it yet.
async function hasEnded({ id, until }) {
  const { status, body } = await get('/api/v1/events/' + id);
  if (status !== 200 || !Array.isArray(body?.case)) return false;
  return body.status === 'void' || body.case.some((e) => String(e?.type).split('.')[2] === until);
}
