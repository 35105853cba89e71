// What the desk knows by itself: ids, times, and what may stand in a field.
// Nothing here touches the page.

// An id that sorts by the time it was made (UUID version 7, RFC 9562).
export function uuid7(ms = Date.now()) {
  const b = crypto.getRandomValues(new Uint8Array(16));
  for (let i = 5, t = ms; i >= 0; i--, t = Math.floor(t / 256)) b[i] = t % 256;
  b[6] = (b[6] & 0x0f) | 0x70;
  b[8] = (b[8] & 0x3f) | 0x80;
  const hex = [...b].map((n) => n.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

// A pseudonym that says nothing about the person: 40 random bits, without
// letters that are taken for digits.
export function newPerson() {
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789x';
  return 'p-' + [...crypto.getRandomValues(new Uint8Array(8))].map((n) => letters[n % 32]).join('');
}

// Stations are in one zone, whatever the device says.
const zone = 8 * 3600e3;

// shanghai writes a moment as 2026-09-01T08:31:00.417+08:00.
export const shanghai = (ms) => new Date(ms + zone).toISOString().replace('Z', '+08:00');
export const dayOf = (ms) => shanghai(ms).slice(0, 10);
export const clock = (ms) => shanghai(ms).slice(11, 16);

// moment reads the value of a datetime-local field as time of the station.
export const moment = (value) => Date.parse((value.length === 16 ? value + ':00' : value) + '+08:00');
export const local = (ms) => shanghai(ms).slice(0, 19);

const addDays = (day, n) => new Date(Date.parse(day + 'T00:00:00Z') + n * 864e5).toISOString().slice(0, 10);
export const weekday = (day) => new Date(day + 'T00:00:00Z').getUTCDay();

// working tells whether a day is worked; except lists the days that are not
// what their weekday says.
const working = (day, except) => (weekday(day) % 6 !== 0) !== except.includes(day);

// lastDay is the last day of a duty to notify (三(三)4(4)): investigation organs
// the same day, the others 3 days, moved to a working day except in custody.
export function lastDay(organ, day, inCustody, except) {
  if (organ === 'police' || organ === 'state_security') return day;
  let last = addDays(day, 3);
  while (!inCustody && !working(last, except)) last = addDays(last, 1);
  return last;
}

// wrongPerson is the message about a value that is no pseudonym, or ''.
export function wrongPerson(v) {
  if (v === '') return 'wrong.required';
  if (/[㐀-鿿豈-﫿]|[\ud840-\ud87f]/.test(v)) return 'wrong.person.name';
  const bare = v.replace(/[\s._:/-]/g, '');
  if (/^(\d{15}|\d{17}[\dXx])$/.test(bare) || (v.match(/\d+[Xx]?/g) ?? []).some((run) => run.length === 18)) return 'wrong.person.number';
  return /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$/.test(v) ? '' : 'wrong.person';
}

export const wrongLicence = (v) => (v === '' ? 'wrong.required' : /^\d{17}$/.test(v) && /[1-9]/.test(v) ? '' : 'wrong.licence');

// wrongStation checks the form of a code and its division.
export function wrongStation(v, divisions) {
  if (v === '') return 'wrong.required';
  const m = /^(\d{6}|22CB\d{2})-(court|procuratorate|detention)(-[1-9]\d?)?$/.exec(v);
  return !m ? 'wrong.station' : divisions.some((d) => d.code === m[1]) ? '' : 'wrong.division';
}

// wrongCount: nothing, or a whole number up to the greatest.
export const wrongCount = (v, greatest) => (v === '' || (/^\d{1,9}$/.test(v) && Number(v) <= greatest) ? '' : 'wrong.count');

// wrongTime: the future is a slip of the pen; five minutes are clocks that
// differ.
export function wrongTime(v, now = Date.now()) {
  const ms = moment(v);
  return Number.isNaN(ms) ? 'wrong.time' : ms > now + 300e3 ? 'wrong.future' : '';
}

// ---- What may be read --------------------------------------------------------

// What is kept on a device can be written by other versions of this page, by
// hand, or by a fault. What cannot be read is left alone, and nothing else suffers
// from it.

const isText = (v) => typeof v === 'string';
const isObject = (v) => typeof v === 'object' && v !== null && !Array.isArray(v);
const isTime = (v) => isText(v) && Math.abs(Date.parse(v)) < 8e15; // which Date can still move by a zone
const isValue = (v) => v === undefined || isText(v) || typeof v === 'boolean' || Number.isFinite(v);
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

// isData is what forms make: values, and lists of them.
const isData = (o) => isObject(o) && Object.values(o).every((v) => isValue(v) || (Array.isArray(v) && v.every(isValue)));

// readable tells whether a record of the ledger can be shown and sent; whether the
// data is right the server judges.
export function readable(r) {
  const e = r?.event;
  if (!['waiting', 'sent', 'rejected'].includes(r?.state) || !Array.isArray(r.errors) || !r.errors.every((err) => isData(err))) return false;
  if (!isObject(e) || !isText(e.id) || !uuid.test(e.id) || !isText(e.subject) || !isText(e.source) || !/^\/(stations|divisions)\/./.test(e.source) || !isTime(e.time) || !isText(e.type)) return false;
  const type = /^zhiban\.[a-z_]+\.([a-z_]+)\.v\d+$/.exec(e.type);
  if (!type || !isData({ ...e, data: '' })) return false;
  if (type[1] === 'voided') return isData(e.data) && isText(e.data.target);
  if (type[1] !== 'corrected') return isData(e.data);
  return isObject(e.data) && isData({ ...e.data, data: '' }) && isData(e.data.data) && isText(e.data.target) && (e.data.time === undefined || isTime(e.data.time));
}

// readableCase tells whether an open case of the platform can be shown.
export function readableCase(c) {
  return isData(c) && isText(c.subject) && isText(c.event) && uuid.test(c.event) && isTime(c.time) && isText(c.type) && /^zhiban\.[a-z_]+\.[a-z_]+\.v\d+$/.test(c.type);
}

// readableSettings takes what can be used out of the text in which the settings are
// kept.
export function readableSettings(text, divisions) {
  let kept;
  try {
    kept = JSON.parse(text ?? '{}');
  } catch { /* nothing can be used: choose again */ }
  const texts = (o) => Object.fromEntries(Object.entries(isObject(o) ? o : {}).filter(([, v]) => isText(v)));
  const k = isObject(kept) ? kept : {};
  return {
    station: isText(k.station) && wrongStation(k.station, divisions) === '' ? k.station : '',
    lawyer: isText(k.lawyer) && wrongLicence(k.lawyer) === '' ? k.lawyer : '',
    mode: isText(k.mode) ? k.mode : 'onsite',
    agency: isText(k.agency) ? k.agency : undefined,
    names: Object.fromEntries(Object.entries(texts(k.names)).filter(([licence]) => wrongLicence(licence) === '')),
    stationNames: texts(k.stationNames),
  };
}
