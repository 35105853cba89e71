// The station desk. Forms and words come from the server with the page; what is
// entered is kept on the device first (store.js) and sent from there (queue.js).
import * as rules from './rules.js';
import * as store from './store.js';
import { Sender, server } from './queue.js';
import * as elsewhere from './elsewhere.js';

const { lang, worker, text, forms, divisions, holidays } = JSON.parse(document.getElementById('data').textContent);
const $ = (id) => document.getElementById(id);

// t is a phrase with its values in place of %s.
const t = (key, ...values) => values.reduce((s, v) => s.replace('%s', () => v), text[key] ?? key);
const say = (label) => label[lang] || label.zh;

// el makes an element; text is only ever text.
function el(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attributes)) {
    if (k.startsWith('on')) e.addEventListener(k.slice(2), v);
    else if (v === true) e.setAttribute(k, '');
    else if (v !== false && v !== undefined) e.setAttribute(k, v);
  }
  e.append(...children.filter((c) => c !== ''));
  return e;
}

// ---- What the device remembers ---------------------------------------------

const settingsKey = 'zhiban-desk';
let settings = rules.readableSettings(undefined, divisions);

function readSettings() {
  try {
    settings = rules.readableSettings(localStorage.getItem(settingsKey), divisions);
  } catch { /* nothing may be remembered here: choose again */ }
}

function keepSettings(values) {
  settings = { ...settings, ...values };
  try {
    localStorage.setItem(settingsKey, JSON.stringify({ ...settings, choosing: undefined }));
  } catch { /* the choice holds until the page is left */ }
}

const divisionName = (code) => divisions.find((d) => d.code === code)?.name ?? code;
const kindOf = (station) => station.split('-')[1];

function stationName(code) {
  if (settings.stationNames?.[code]) return settings.stationNames[code];
  const [division, kind, number] = code.split('-');
  return divisionName(division) + (lang === 'en' ? ' ' : '') + t('kind.' + kind) + (number ? ` ${number}` : '');
}

const lawyerName = (licence) => settings.names[licence] || '…' + String(licence).slice(-6);

// ---- The ledger as cases ----------------------------------------------------

// An entry is a recorded fact with what was said about it later: {record, kind,
// verb, subject, data, time, changes, voided}. What was refused changes nothing.
// Of the cases that were begun at another device there is the first entry, with
// elsewhere: true.
let records = [];
let entries = [];
let unreadable = 0; // records
let known = elsewhere.remembered('');

async function load() {
  const all = await store.all();
  records = all.filter(rules.readable);
  unreadable = all.length - records.length;
  const byID = new Map();
  entries = [];
  for (const record of records) {
    const e = record.event;
    const [, kind, verb] = e.type.split('.');
    if (verb === 'corrected' || verb === 'voided') {
      const target = byID.get(e.data.target);
      if (!target) continue;
      target.changes.push(record);
      if (record.state === 'rejected') continue;
      if (verb === 'voided') {
        target.voided = true;
        continue;
      }
      target.data = e.data.data;
      if (e.data.time) target.time = Date.parse(e.data.time);
      continue;
    }
    const entry = { record, kind, verb, subject: e.subject, data: e.data, time: Date.parse(e.time), changes: [], voided: false };
    byID.set(e.id, entry);
    entries.push(entry);
  }
  const own = new Set(entries.map((e) => e.subject + ' ' + e.verb));
  for (const c of known.cases) {
    const [, kind, verb] = c.type.split('.');
    if (own.has(c.subject + ' ' + verb)) continue;
    const { subject, event: id, type, time, missing, ...data } = c;
    const record = { event: { id, type, subject, time, source: '/stations/' + known.station, data }, state: 'sent', errors: [] };
    entries.push({ record, kind, verb, subject, data, time: Date.parse(time), changes: [], voided: false, elsewhere: true });
  }
}

// waits are the cases that wait for a next step: the verb that begins the waiting
// and the one that ends it.
const waits = { shift: ['signed_in', 'signed_out'], consultation: ['recorded', 'signed'], application: ['received', 'transferred'], notification: ['triggered', 'given'], help_request: ['received', 'dispatched'] };

// lookElsewhere asks what other devices of the station left open.
async function lookElsewhere() {
  const { station } = settings;
  if (!station) return;
  if (known.station !== station) known = elsewhere.remembered(station);
  const own = Object.keys(waits).flatMap((kind) => waiting(kind)).filter((e) => !e.elsewhere && e.record.state === 'sent')
    .map((e) => ({ subject: e.subject, id: e.record.event.id, until: waits[e.kind][1] }));
  const told = await elsewhere.ask(station, own);
  if (told.station !== settings.station) return; // another station was chosen meanwhile
  known = told;
  await load();
  render();
}

const here = (entry) => entry.record.event.source === '/stations/' + settings.station;
const stands = (entry) => !entry.voided && entry.record.state !== 'rejected';
const followed = (entry, verb) => entries.some((e) => e.subject === entry.subject && e.verb === verb && stands(e));
const waiting = (kind) => entries.filter((e) => e.kind === kind && e.verb === waits[kind][0] && here(e) && stands(e) && !followed(e, waits[kind][1]));
const open = (kind) => waiting(kind).filter((e) => !known.ended.includes(e.subject)).sort((a, b) => a.time - b.time);
const openShift = () => open('shift').findLast((e) => e.data.lawyer === settings.lawyer);

// Who signed in a day ago or more has forgotten to sign out: that shift can be
// ended, but is not the one on duty now.
const onDuty = (shift) => shift !== undefined && shift.time > Date.now() - 864e5;

// forget drops what was sent long ago: cases without a record of the last 90
// days.
async function forget() {
  const old = Date.now() - 90 * 864e5;
  const recent = new Set(records.filter((r) => r.state !== 'sent' || Date.parse(r.event.time) > old).map((r) => r.event.subject));
  const gone = records.filter((r) => !recent.has(r.event.subject)).map((r) => r.seq);
  if (gone.length === 0) return;
  await store.remove(gone);
  await load();
}

// ---- Events -----------------------------------------------------------------

const source = () => '/stations/' + settings.station;

function event(type, subject, data, time = Date.now(), from = source()) {
  return { specversion: '1.0', id: rules.uuid7(), source: from, type, subject, time: rules.shanghai(time), datacontenttype: 'application/json', data };
}

const newCase = (type) => type.split('.')[1] + '/' + rules.uuid7();
const withLawyer = (type, data) => (forms[type].lawyer ? { lawyer: settings.lawyer, ...data } : data);

// keep is how every entry ends: on the disk of the device, then on its way.
async function keep(events, message) {
  try {
    await store.add(events);
  } catch (err) {
    console.warn('desk: keeping', err);
    notice(t('failed.keep'), true);
    return false;
  }
  await changed();
  notice(message + (navigator.onLine && pausing !== 'network' ? '' : t('kept.offline')));
  sender.send();
  return true;
}

// ---- Forms ------------------------------------------------------------------

let made = 0;

// fill puts the fields of a type into a form. Ids are made new, so that the same
// fields can stand on the page twice.
function fill(form, type) {
  const fields = document.importNode($('fields-' + type).content, true);
  const suffix = '-' + ++made;
  for (const e of fields.querySelectorAll('[id]')) e.id += suffix;
  for (const e of fields.querySelectorAll('[for]')) e.htmlFor += suffix;
  for (const e of fields.querySelectorAll('[aria-describedby]')) e.setAttribute('aria-describedby', e.getAttribute('aria-describedby').split(' ').map((id) => id + suffix).join(' '));
  form.dataset.type = type;
  form.noValidate = true;
  form.querySelector('[data-fields]').replaceChildren(fields);
  form.addEventListener('input', () => dependents(form));
  form.addEventListener('change', () => dependents(form));
  form.addEventListener('click', (ev) => {
    const act = ev.target.closest('[data-act]');
    if (act?.dataset.act === 'new-person') form.elements.person.value = rules.newPerson();
    if (act?.dataset.act === 'minutes') form.elements.minutes.value = act.value;
    if (act) clearError(act.closest('[data-field]'));
  });
  for (const again of form.querySelectorAll('[data-role="again"]')) {
    again.addEventListener('change', () => {
      form.elements.person.value = again.value || rules.newPerson();
      clearError(again.closest('[data-field]'));
    });
  }
  form.addEventListener('input', (ev) => clearError(ev.target.closest('[data-field]')));
  clean(form);
}

// clean makes a form ready for the next entry.
function clean(form) {
  form.reset();
  if (form.elements.person) form.elements.person.value = rules.newPerson();
  const kind = settings.station && kindOf(settings.station);
  const choose = (name, value) => { for (const e of form.querySelectorAll(`[name="${name}"]`)) if (e.value === value) e.checked = true; };
  if (kind === 'detention') {
    choose('in_custody', 'true');
    choose('channel', 'in_custody');
    choose('person_role', 'suspect');
  }
  choose('mode', settings.mode);
  if (form.elements.agency && settings.station) form.elements.agency.value = settings.agency || divisionName(settings.station.split('-')[0]) + '法律援助中心';
  for (const f of form.querySelectorAll('[data-field]')) clearError(f);
  const more = form.querySelector('details.when');
  if (more) more.open = false;
  persons(form);
  dependents(form);
}

// dependents shows what depends on other fields: a field or an option with
// data-when="field=value|value".
function dependents(form) {
  for (const e of form.querySelectorAll('[data-when]')) {
    const [name, values] = e.dataset.when.split('=');
    const shown = values.split('|').includes(chosen(form, name));
    e.hidden = !shown;
    for (const input of e.querySelectorAll('input')) {
      input.disabled = !shown;
      if (!shown && input.type === 'radio') input.checked = input.defaultChecked;
    }
  }
  for (const group of form.querySelectorAll('fieldset[data-kind="choice"]')) {
    const left = [...group.querySelectorAll('[data-when] input:enabled')];
    if (left.length === 1) left[0].checked = true;
    const labels = [...group.querySelectorAll('label')];
    if (!group.dataset.when) group.hidden = labels.every((l) => l.hidden);
  }
  const warning = form.querySelector('[data-warning="has_defender"]');
  if (warning) warning.hidden = chosen(form, 'has_defender') !== 'true';
  const last = form.querySelector('[data-role="last"]');
  if (last) {
    const organ = chosen(form, 'organ'), custody = chosen(form, 'in_custody');
    const time = timeOf(form).ms ?? Date.now();
    last.textContent = organ && custody ? t('duty.last', dayName(rules.lastDay(organ, rules.dayOf(time), custody === 'true', holidays))) : '';
  }
}

const chosen = (form, name) => form.querySelector(`[name="${name}"]:checked`)?.value;
const dayName = (day) => `${day}（${t('weekday.' + rules.weekday(day))}）`;

// persons offers the pseudonyms of today's entries.
function persons(form) {
  for (const select of form.querySelectorAll('[data-role="again"]')) {
    const known = new Map();
    for (const e of entries) {
      const p = e.data.person;
      if (p && here(e) && rules.dayOf(e.time) === rules.dayOf(Date.now())) known.set(p, `${p} · ${rules.clock(e.time)} ${title(e)}`);
    }
    const value = known.has(select.value) ? select.value : '';
    select.replaceChildren(el('option', { value: '' }, t('person.new')), ...[...known].reverse().map(([p, label]) => el('option', { value: p }, label)));
    select.value = value;
    select.closest('label').hidden = known.size === 0;
  }
}

function timeOf(form) {
  const v = form.elements.when?.value ?? '';
  if (v === '') return {};
  const wrong = rules.wrongTime(v);
  return wrong ? { wrong } : { ms: rules.moment(v) };
}

// read takes the data out of a form, and the message for every field that is
// wrong.
function read(form) {
  const data = {}, wrong = {};
  for (const f of forms[form.dataset.type].fields) {
    const box = form.querySelector(`[data-field="${f.name}"]`);
    if (box.hidden) continue;
    const value = (form.elements[f.name]?.value ?? '').trim();
    switch (f.kind) {
      case 'flag': data[f.name] = form.elements[f.name].checked; break;
      case 'chips': {
        const all = [...box.querySelectorAll('input:checked')].map((i) => i.value);
        if (all.length > 0) data[f.name] = all;
        break;
      }
      case 'minutes': case 'count': {
        const greatest = f.kind === 'minutes' ? 1440 : f.max;
        if (rules.wrongCount(value, greatest)) wrong[f.name] = t('wrong.count', greatest);
        if (value !== '') data[f.name] = Number(value);
        break;
      }
      case 'person':
        wrong[f.name] = rules.wrongPerson(value);
        data[f.name] = value;
        break;
      case 'line':
        if (value !== '') data[f.name] = value;
        break;
      default: {
        const choice = chosen(box, f.name) ?? '';
        if (choice !== '') data[f.name] = f.kind === 'yesno' ? choice === 'true' : choice;
        else if (f.required) wrong[f.name] = 'wrong.choose';
      }
    }
  }
  const time = timeOf(form);
  if (time.wrong) wrong.when = time.wrong;
  const errors = Object.fromEntries(Object.entries(wrong).filter(([, v]) => v).map(([k, v]) => [k, t(v)]));
  return { data, time: time.ms, errors };
}

// write puts data into a form.
function write(form, data) {
  for (const f of forms[form.dataset.type].fields) {
    const v = data[f.name];
    for (const input of form.querySelectorAll(`[name="${f.name}"]`)) {
      if (f.kind === 'flag') input.checked = v === true;
      else if (f.kind === 'chips') input.checked = [v ?? []].flat().includes(input.value);
      else if (input.type === 'radio') input.checked = input.value === String(v ?? '');
      else input.value = v ?? '';
    }
    if (f.kind === 'chips') { // topics that came from elsewhere are not lost
      const box = form.querySelector(`[data-field="${f.name}"] .chips`);
      for (const other of [v ?? []].flat().filter((x) => ![...box.querySelectorAll('input')].some((i) => i.value === x))) {
        box.append(el('label', {}, el('input', { type: 'checkbox', name: f.name, value: other, checked: true }), el('span', {}, other)));
      }
    }
    dependents(form); // fields that come later may depend on this one
  }
}

function clearError(box) {
  const p = box?.querySelector('.error');
  if (!p || p.hidden) return;
  p.hidden = true;
  p.textContent = '';
  for (const i of box.querySelectorAll('[aria-invalid]')) i.removeAttribute('aria-invalid');
}

// show puts errors next to their fields and the cursor into the first one.
// What has no field stands above the buttons.
function show(form, errors) {
  const rest = [];
  let first;
  for (const box of form.querySelectorAll('[data-field]')) clearError(box);
  for (const [name, message] of Object.entries(errors)) {
    const box = form.querySelector(`[data-field="${CSS.escape(name)}"]`);
    const p = box?.querySelector('.error');
    if (!p || box.hidden) {
      rest.push(message);
      continue;
    }
    const details = box.closest('details');
    if (details) details.open = true;
    p.textContent = message;
    p.hidden = false;
    const inputs = [...box.querySelectorAll('input:not([type="radio"], [type="checkbox"]), select')];
    for (const i of inputs.slice(0, 1)) i.setAttribute('aria-invalid', 'true');
    first = !first || box.compareDocumentPosition(first) & Node.DOCUMENT_POSITION_FOLLOWING ? box : first;
  }
  const above = form.querySelector('[data-role="errors"]');
  if (above) {
    above.textContent = rest.join(lang === 'en' ? '; ' : '；');
    above.hidden = rest.length === 0;
  }
  first?.querySelector('input:checked, input:enabled, select')?.focus();
}

// onSubmit runs work once at a time.
function onSubmit(form, work) {
  form.addEventListener('submit', async (ev) => {
    ev.preventDefault();
    if (form.dataset.busy) return;
    form.dataset.busy = 'true';
    try {
      await work(ev.submitter);
    } finally {
      delete form.dataset.busy;
    }
  });
}

// take reads a form, or shows what is wrong with it.
function take(form) {
  const { data, time, errors } = read(form);
  show(form, errors);
  return Object.keys(errors).length > 0 ? undefined : { data: withLawyer(form.dataset.type, data), time };
}

// ---- Entries ----------------------------------------------------------------

function entryForms() {
  for (const form of document.querySelectorAll('form[data-entry]')) {
    const type = form.dataset.entry;
    fill(form, type);
    onSubmit(form, async (submitter) => {
      const taken = take(form);
      if (!taken) return;
      const { data, time } = taken;
      const subject = newCase(type);
      if (type === 'zhiban.consultation.recorded.v1') {
        const shift = openShift();
        if (onDuty(shift)) data.shift = shift.subject.split('/')[1];
      }
      if (type === 'zhiban.shift.signed_in.v1') keepSettings({ mode: data.mode });
      const events = [event(type, subject, data, time)];
      if (submitter?.value === 'sign') events.push(event('zhiban.consultation.signed.v1', subject, { lawyer: data.lawyer }));
      if (await keep(events, t('kept', say(forms[type].title)))) {
        clean(form);
        if (type !== 'zhiban.shift.signed_in.v1') form.querySelector('input:checked, input')?.focus({ preventScroll: true });
        else $('sign-out').focus();
      }
    });
  }
  const out = $('sign-out-form'), type = 'zhiban.shift.signed_out.v1';
  fill(out, type);
  onSubmit(out, async () => {
    const shift = openShift(), taken = take(out);
    if (!shift || !taken) return;
    if (taken.time === undefined && !onDuty(shift)) return show(out, { when: t('wrong.forgotten') });
    if (taken.time < shift.time) return show(out, { when: t('wrong.before', rules.clock(shift.time)) });
    if (await keep([event(type, shift.subject, taken.data, taken.time, shift.record.event.source)], t('kept', say(forms[type].title)))) clean(out);
  });
}

// follow is a small form for the next step of an open case, closed until asked
// for.
function follow(entry, type, label) {
  const form = el('form', {}, el('div', { 'data-fields': true }), el('p', { class: 'error', 'data-role': 'errors', hidden: true, role: 'alert' }), el('button', {}, label));
  fill(form, type);
  onSubmit(form, async () => {
    const taken = take(form);
    if (!taken) return;
    if (taken.data.agency) keepSettings({ agency: taken.data.agency });
    await keep([event(type, entry.subject, taken.data, taken.time, entry.record.event.source)], t('kept', say(forms[type].title)));
  });
  return el('details', { 'data-key': type + entry.subject }, el('summary', {}, label), form);
}

// ---- What is seen -----------------------------------------------------------

const title = (entry) => say(forms[`zhiban.${entry.kind}.${entry.verb}.v1`]?.title ?? { zh: entry.kind, en: entry.kind });

// words lists the data of an entry in the words of its form.
function words(entry) {
  const form = forms[`zhiban.${entry.kind}.${entry.verb}.v1`];
  const out = [];
  for (const f of form?.fields ?? []) {
    const v = entry.data[f.name];
    if (v === undefined) continue;
    const option = f.options?.find((o) => o.value === String(v));
    if (f.kind === 'chips') out.push([v].flat().join('、'));
    else if (f.kind === 'flag') { if (v) out.push(say(f.label)); }
    else if (f.kind === 'minutes') out.push(t('minutes', v));
    else if (f.kind === 'count') out.push(t('people', v));
    else if (f.name === 'has_defender') out.push(v ? t('defender') : t('defender.none'));
    else out.push(option ? say(option.label) : String(v));
  }
  if (!entry.data.person) { // the next step of a case: whose it is
    const first = entries.find((e) => e.subject === entry.subject && e.data.person);
    if (first) out.unshift(first.data.person);
  }
  if (entry.data.lawyer && entry.data.lawyer !== settings.lawyer) out.push(lawyerName(entry.data.lawyer));
  return out.join(' · ');
}

function duration(ms) {
  const minutes = Math.max(0, Math.floor(ms / 60e3));
  return minutes < 60 ? t('span.minutes', minutes) : t('span.hours', Math.floor(minutes / 60), minutes % 60);
}

let pausing = ''; // why sending pauses

function render() {
  const chosenAlready = settings.station && settings.lawyer;
  $('setup').hidden = Boolean(chosenAlready) && !settings.choosing;
  $('desk').hidden = !$('setup').hidden;
  $('where').hidden = !chosenAlready;
  $('again').hidden = !chosenAlready;
  if (chosenAlready) {
    $('station').textContent = stationName(settings.station);
    $('lawyer').textContent = lawyerName(settings.lawyer);
  }
  renderUnsent();
  if ($('desk').hidden) return;
  renderShift();
  renderApplications();
  renderNotifications();
  renderRequests();
  renderUnsigned();
  renderElsewhere();
  renderToday();
  for (const form of document.querySelectorAll('form[data-entry]')) persons(form);
}

function renderUnsent() {
  const waiting = records.filter((r) => r.state === 'waiting').length;
  const rejected = records.filter((r) => r.state === 'rejected').length;
  const offline = !navigator.onLine || pausing === 'network';
  const parts = [];
  if (offline) parts.push(t('unsent.offline'));
  if (waiting > 0) parts.push(t('unsent.waiting', waiting));
  if (rejected > 0) parts.push(t('unsent.rejected', rejected));
  if (waiting > 0 && pausing && pausing !== 'network') parts.push(t('unsent.' + pausing));
  if (parts.length === 0) parts.push(t('unsent.none'));
  const pill = $('unsent');
  const label = parts.join(' · ');
  if (pill.textContent !== label) pill.textContent = label;
  pill.classList.toggle('waiting', waiting > 0 || offline);
  pill.classList.toggle('rejected', rejected > 0);
  const ahead = Math.abs(server.ahead) > 300e3;
  $('clock').hidden = !ahead;
  if (ahead) $('clock').textContent = t(server.ahead > 0 ? 'clock.fast' : 'clock.slow', duration(Math.abs(server.ahead)));
  $('login').hidden = waiting === 0 || pausing !== 'login';
  document.body.dataset.waiting = waiting;
  document.body.dataset.rejected = rejected;
}

function renderShift() {
  const shift = openShift();
  $('shift-open').hidden = !shift;
  $('shift-form').hidden = onDuty(shift);
  if (shift) {
    const mode = forms['zhiban.shift.signed_in.v1'].fields[0].options.find((o) => o.value === shift.data.mode);
    const day = rules.dayOf(shift.time) === rules.dayOf(Date.now()) ? '' : rules.dayOf(shift.time) + ' ';
    $('shift-since').textContent = t('shift.since', mode ? say(mode.label) : '', day + rules.clock(shift.time));
    $('shift-span').textContent = duration(Date.now() - shift.time);
    $('shift-elsewhere').hidden = !shift.elsewhere;
  }
  const others = open('shift').filter((e) => e.data.lawyer !== settings.lawyer && (!e.elsewhere || onDuty(e)));
  $('shift-others').hidden = others.length === 0;
  $('shift-others').textContent = others.length ? t('shift.others', [...new Set(others.map((e) => lawyerName(e.data.lawyer)))].join('、')) : '';
}

const mostRows = 50; // of a list

// renderList keeps the rows that are there, so that what is being typed stays.
function renderList(list, rows, make, update) {
  const old = new Map([...list.children].map((li) => [li.dataset.id, li]));
  list.replaceChildren(...rows.slice(0, mostRows).map((row) => {
    const li = old.get(row.subject) ?? make(row);
    li.dataset.id = row.subject;
    update(li, row);
    return li;
  }), ...(rows.length > mostRows ? [el('li', { class: 'hint' }, t('elsewhere.more', rows.length - mostRows))] : []));
  list.closest('section').hidden = rows.length === 0;
}

// head is the first line of a case that waits: whose it is, and what.
const head = (e) => el('p', {}, el('b', {}, ''), el('span', { class: 'words' }), e.elsewhere ? el('span', { class: 'mark' }, t('elsewhere.mark')) : '');

function renderApplications() {
  renderList($('applications'), open('application'), (e) => el('li', {}, head(e), el('p', { class: 'left' }),
    follow(e, 'zhiban.application.transferred.v1', t('application.transfer'))), (li, e) => {
    li.querySelector('b').textContent = e.data.person;
    li.querySelector('.words').textContent = `${rules.dayOf(e.time).slice(5)} ${rules.clock(e.time)} · ${words(e).split(' · ').slice(1).join(' · ')}`;
    const left = e.time + 24 * 3600e3 - Date.now();
    const p = li.querySelector('.left');
    p.textContent = left > 0 ? t('application.left', duration(left)) : t('application.late', duration(-left));
    p.classList.toggle('late', left <= 0);
    p.classList.toggle('soon', left > 0 && left < 4 * 3600e3);
  });
}

function renderNotifications() {
  renderList($('notifications'), open('notification'), (e) => el('li', {}, head(e), el('p', { class: 'left' }),
    follow(e, 'zhiban.notification.given.v1', t('duty.given'))), (li, e) => {
    const last = rules.lastDay(e.data.organ, rules.dayOf(e.time), e.data.in_custody, holidays);
    li.querySelector('b').textContent = e.data.person;
    li.querySelector('.words').textContent = words(e).split(' · ').filter((w) => w !== e.data.person).join(' · ');
    const today = rules.dayOf(Date.now());
    const p = li.querySelector('.left');
    p.textContent = today > last ? t('duty.overdue', dayName(last)) : t('duty.last', dayName(last));
    p.classList.toggle('late', today > last);
    p.classList.toggle('soon', today === last);
  });
}

function renderRequests() {
  const organs = forms['zhiban.notification.triggered.v1'].fields.find((f) => f.name === 'organ').options;
  renderList($('requests'), open('help_request'), (e) => el('li', {}, head(e), el('p', { class: 'left' }),
    follow(e, 'zhiban.help_request.dispatched.v1', t('request.dispatched'))), (li, e) => {
    const organ = organs.find((o) => o.value === e.data.organ);
    li.querySelector('b').textContent = e.data.person ?? '';
    li.querySelector('.words').textContent = [`${rules.dayOf(e.time).slice(5)} ${rules.clock(e.time)}`, organ ? say(organ.label) : ''].filter(Boolean).join(' · ');
    li.querySelector('.left').textContent = t('request.waits', duration(Date.now() - e.time));
  });
}

// renderUnsigned lists what the lawyer recorded at other devices; that of this
// device is signed in today's list. Nobody signs for another.
function renderUnsigned() {
  renderList($('unsigned'), open('consultation').filter((e) => e.elsewhere && e.data.lawyer === settings.lawyer), (e) => el('li', {}, head(e),
    el('p', { class: 'actions' }, el('button', { type: 'button', 'data-act': 'sign', onclick: () => sign(e) }, t('sign')))), (li, e) => {
    li.querySelector('b').textContent = `${rules.dayOf(e.time).slice(5)} ${rules.clock(e.time)}`;
    li.querySelector('.words').textContent = words(e);
  });
}

const sign = (e) => keep([event('zhiban.consultation.signed.v1', e.subject, { lawyer: settings.lawyer }, Date.now(), e.record.event.source)], t('kept', say(forms['zhiban.consultation.signed.v1'].title)));

// renderElsewhere says how far what is open at other devices is known.
function renderElsewhere() {
  const p = $('elsewhere');
  const when = known.at ? (rules.dayOf(known.at) === rules.dayOf(Date.now()) ? '' : rules.dayOf(known.at) + ' ') + rules.clock(known.at) : '';
  const why = { alone: 'elsewhere.alone', login: 'elsewhere.login' }[known.why];
  p.textContent = known.station !== settings.station ? '' : why ? t(why) : !when ? (known.why ? t('elsewhere.never') : '') : t(known.why ? 'elsewhere.old' : 'elsewhere.seen', when);
  if (known.total > known.cases.length) p.textContent += t('elsewhere.total', known.total, known.cases.length);
  p.dataset.why = known.why;
  p.dataset.at = known.at;
  $('unreadable').hidden = unreadable === 0;
  if (unreadable) $('unreadable').textContent = t('unreadable', unreadable);
}

function renderToday() {
  const today = rules.dayOf(Date.now());
  const own = entries.filter((e) => !e.elsewhere);
  const unsettled = (e) => e.record.state !== 'sent' || e.changes.some((c) => c.state !== 'sent');
  const ofToday = (e) => rules.dayOf(made7(e.record.event.id)) === today;
  const unsigned = new Set(open('consultation').map((e) => e.subject));
  const shown = own.filter((e) => (here(e) && (ofToday(e) || (unsigned.has(e.subject) && e.verb === 'recorded'))) || unsettled(e)).reverse();
  const focus = document.activeElement?.dataset?.focus;
  $('entries').replaceChildren(...shown.map((e) => row(e, unsigned)));
  $('none').hidden = shown.length > 0;
  const count = shown.filter((e) => stands(e)).length;
  $('today-count').textContent = count ? t('today.count', count) : '';
  if (focus) document.querySelector(`[data-focus="${CSS.escape(focus)}"]`)?.focus();
}

// made7 is when an id was made.
const made7 = (id) => parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

function state(record) {
  return el('span', { class: 'state ' + record.state, 'data-state': record.state }, t('state.' + record.state));
}

function row(e, unsigned) {
  const { record } = e;
  const act = (name, label, work, kind = 'plain') => el('button', { type: 'button', class: kind, 'data-act': name, 'data-focus': name + record.event.id, 'aria-label': `${label}：${rules.clock(e.time)} ${title(e)}`, onclick: work }, label);
  const actions = [];
  const entered = `zhiban.${e.kind}.${e.verb}.v1` in forms; // else another version of this page made it
  if (record.state === 'rejected') actions.push(...(entered ? [act('mend', t('mend'), () => edit(e, record), '')] : []), act('discard', t('discard'), () => discard(record)));
  else if (!e.voided && entered) {
    if (e.kind === 'consultation' && e.verb === 'recorded' && unsigned.has(e.subject) && e.data.lawyer === settings.lawyer) { // nobody signs for another
      actions.push(act('sign', t('sign'), () => sign(e), ''));
    }
    actions.push(act('correct', t('correct'), () => edit(e)), act('void', t('void'), () => edit(e, undefined, true)));
  }
  const day = rules.dayOf(e.time) === rules.dayOf(Date.now()) ? '' : rules.dayOf(e.time).slice(5) + ' ';
  return el('li', { class: e.voided ? 'voided' : '', 'data-id': record.event.id, 'data-type': record.event.type },
    el('p', { class: 'head' }, el('time', {}, day + rules.clock(e.time)), el('b', {}, title(e)),
      e.voided ? el('span', { class: 'mark' }, t('voided')) : e.changes.some((c) => c.state !== 'rejected') ? el('span', { class: 'mark' }, t('corrected')) : '',
      unsigned.has(e.subject) && e.verb === 'recorded' ? el('span', { class: 'mark unsigned' }, t('unsigned')) : '', state(record)),
    el('div', { class: 'body' }, el('p', { class: 'words' }, words(e)),
      here(e) ? '' : el('p', { class: 'words' }, stationName(record.event.source.split('/')[2]))),
    record.state === 'rejected' || !actions.length ? '' : el('p', { class: 'actions' }, ...actions),
    ...problems(record),
    ...e.changes.map((c) => el('div', { class: 'change', 'data-id': c.event.id }, el('p', {},
      t(c.event.type.includes('.voided.') ? 'change.voided' : 'change.corrected', c.event.data.reason), ' ', state(c)), ...problems(c),
    c.state === 'rejected' ? el('p', { class: 'actions' },
      act('mend-change', t('mend'), () => edit(e, c), ''), act('discard-change', t('discard'), () => discard(c))) : '')),
    record.state === 'rejected' ? el('p', { class: 'actions' }, ...actions) : '');
}

const problems = (record) => (record.state === 'rejected' ? [el('ul', { class: 'problems' }, ...(record.errors.length ? record.errors.map((err) => inWords(record, err).line) : [t('server.unsaid')]).map((line) => el('li', {}, line)))] : []);

// inWords says what the server found wrong: the field it belongs to, and a
// sentence.
function inWords(record, problem) {
  const location = String(problem.location ?? ''), message = String(problem.message ?? '');
  const name = location.replace(/^data\.(data\.)?/, '').replace(/\[.*|\..*/, '');
  const [, kind] = record.event.type.split('.');
  const known = Object.values(forms).filter((f) => f.type.split('.')[1] === kind).flatMap((f) => f.fields).find((f) => f.name === name);
  const label = known ? say(known.label) : text['place.' + location] ?? text['place.' + name] ?? location;
  const found = [
    [/^is required/, 'server.required'], [/identity card/, 'wrong.person.number'], [/expected value to be one of|expected one of/, 'server.choice'],
    [/no duty of the organ/, 'server.trigger'], [/<= |>= |maximum|minimum/i, 'server.range'], [/between the years/, 'server.years'],
    [/^your account/, 'server.account'], [/sealed text/, 'server.sealed'],
    [/length/, 'server.length'], [/is not a division/, 'wrong.division'], [/not in the catalogue/, 'server.type'], [/is not a field/, 'server.field'],
  ].find(([pattern]) => pattern.test(message));
  const sentence = found ? t(found[1]) : t('server.other', message);
  return { name: { time: 'when' }[name] ?? name, sentence, line: label === 'event' || label === '' ? sentence : t('problem', label, sentence) };
}

// ---- Correct, void, mend, discard -------------------------------------------

// edit opens the dialog: to correct an entry, to void it, or to mend a record of
// it that was refused.
function edit(entry, refused, voiding = refused?.event.type.includes('.voided.') ?? false) {
  const dialog = $('edit'), form = $('edit-form');
  const fresh = form.cloneNode(true); // without the listeners of the last time
  form.replaceWith(fresh);
  const type = `zhiban.${entry.kind}.${entry.verb}.v1`;
  const said = refused?.event.data;
  const isChange = !refused || /\.(corrected|voided)\./.test(refused.event.type);
  const heading = refused ? 'edit.mend' : voiding ? 'edit.void' : 'edit.correct';
  $('edit-title').textContent = t(heading, `${rules.clock(entry.time)} ${title(entry)}`);
  fill(fresh, type);
  fresh.elements.when.value = rules.local(entry.time);
  write(fresh, (refused && !voiding ? (isChange ? said.data : said) : entry.data) ?? {});
  if (refused && isChange && said.time) fresh.elements.when.value = rules.local(Date.parse(said.time));
  fresh.querySelector('[data-fields]').hidden = voiding;
  fresh.querySelector('[data-field="when"]').hidden = voiding;
  fresh.querySelector('[data-field="reason"]').hidden = !isChange;
  fresh.elements.reason.value = isChange && refused ? said.reason : '';
  for (const e of fresh.querySelectorAll('[data-reason]')) e.addEventListener('click', () => { fresh.elements.reason.value = e.dataset.reason; clearError(e.closest('[data-field]')); });
  const save = fresh.querySelector('[data-role="save"]');
  save.textContent = t(refused ? 'edit.send' : voiding ? 'void' : 'correct');
  save.classList.toggle('danger', voiding);
  fresh.querySelector('[data-act="cancel"]').addEventListener('click', () => dialog.close());
  onSubmit(fresh, async () => {
    const { data, time, errors } = voiding ? { data: {}, errors: {} } : read(fresh);
    const reason = fresh.elements.reason.value.trim();
    if (isChange && reason === '') errors.reason = t('wrong.reason');
    show(fresh, errors);
    if (Object.keys(errors).length > 0) return;
    const at = time !== undefined && Math.floor(time / 1000) !== Math.floor(entry.time / 1000) ? time : undefined;
    const carried = Object.fromEntries(Object.entries(entry.data).filter(([k]) => !forms[type].fields.some((f) => f.name === k)));
    const whole = { ...carried, ...data };
    let content = whole;
    if (voiding) content = { target: entry.record.event.id, reason };
    else if (isChange) content = { target: entry.record.event.id, data: whole, ...(at ? { time: rules.shanghai(at) } : {}), reason };
    if (refused) {
      const mended = { ...refused.event, data: content };
      if (!isChange && at) mended.time = rules.shanghai(at);
      await store.change([[refused.seq, { event: mended, state: 'waiting', errors: [] }]]);
      await changed();
      notice(t('mended'));
      sender.send();
    } else if (!await keep([event(`zhiban.${entry.kind}.${voiding ? 'voided' : 'corrected'}.v1`, entry.subject, content, Date.now(), entry.record.event.source)], t(voiding ? 'kept.voided' : 'kept.corrected'))) return;
    dialog.close();
  });
  dialog.showModal();
  if (refused) {
    const errors = {};
    for (const err of refused.errors) {
      const { name, sentence, line } = inWords(refused, err);
      errors[name] = fresh.querySelector(`[data-field="${CSS.escape(name)}"]`) ? sentence : line;
    }
    show(fresh, errors);
  } else if (voiding) fresh.elements.reason.focus();
}

// discard takes a refused record off the device, and what waits behind it when
// the case never began for the server.
async function discard(record) {
  const inCase = records.filter((r) => r.event.subject === record.event.subject);
  const behind = inCase.some((r) => r.state === 'sent') || /\.(corrected|voided)\./.test(record.event.type) ? inCase.filter((r) => r.event.data.target === record.event.id) : inCase.filter((r) => r.seq > record.seq);
  if (!await ask(behind.length ? t('discard.ask.more', behind.length) : t('discard.ask'), t('discard'))) return;
  await store.remove([record, ...behind].map((r) => r.seq));
  await changed();
  notice(t('discarded'));
  sender.send();
}

// ask is whether a question was answered yes. The answer is taken as it is given:
// a close event comes later, it may be when the next question is open.
function ask(question, yes) {
  const dialog = $('ask');
  $('ask-text').textContent = question;
  $('ask-yes').textContent = yes;
  return new Promise((resolve) => {
    dialog.firstElementChild.onsubmit = (ev) => resolve(ev.submitter?.value === 'yes');
    dialog.onclose = () => { if (!dialog.open) resolve(false); }; // by Escape
    dialog.showModal();
  });
}

// ---- Station and lawyer -----------------------------------------------------

function setup() {
  const form = $('setup-form'), f = form.elements;
  const roots = divisions.filter((d) => d.parent === '220000');
  f.prefecture.append(...roots.map((d) => el('option', { value: d.code }, d.name)));
  const counties = () => {
    const below = divisions.filter((d) => d.parent !== '' && d.parent === f.prefecture.value);
    f.county.replaceChildren(el('option', { value: '' }, t('setup.choose')), ...below.map((d) => el('option', { value: d.code }, d.name)),
      ...(f.prefecture.value ? [el('option', { value: f.prefecture.value }, t('setup.own', divisionName(f.prefecture.value)))] : []));
    f.county.disabled = f.prefecture.value === '';
  };
  let names = {};
  const compose = () => {
    if (f.county.value && f.kind.value) f.station.value = f.county.value + '-' + f.kind.value;
    clearError(f.station.closest('[data-field]'));
    found();
  };
  const found = () => { $('setup-name').textContent = names[f.station.value] ?? ''; };
  // The register of stations is there only where the dashboard is.
  const register = async () => {
    const county = f.county.value;
    $('stations').replaceChildren();
    try {
      const answer = county ? await fetch('/api/v1/stations?division=' + encodeURIComponent(county)) : undefined;
      const all = answer?.ok ? (await answer.json()).stations : [];
      if (county !== f.county.value) return;
      for (const s of all) names[s.code] = s.name;
      $('stations').replaceChildren(...all.map((s) => el('option', { value: s.code }, s.name)));
    } catch { /* the code is composed without it */ }
    found();
  };
  f.prefecture.addEventListener('change', () => { counties(); register(); });
  f.county.addEventListener('change', () => { compose(); register(); });
  for (const r of form.querySelectorAll('[name="kind"]')) r.addEventListener('change', compose);
  f.station.addEventListener('input', () => { clearError(f.station.closest('[data-field]')); found(); });
  f.lawyer.addEventListener('input', () => {
    clearError(f.lawyer.closest('[data-field]'));
    if (settings.names[f.lawyer.value]) f.name.value = settings.names[f.lawyer.value];
  });
  counties();
  onSubmit(form, async () => {
    const station = f.station.value.trim(), lawyer = f.lawyer.value.replace(/\s/g, '');
    const errors = {};
    const wrong = [rules.wrongStation(station, divisions), rules.wrongLicence(lawyer)];
    if (wrong[0]) errors.station = t(wrong[0]);
    if (wrong[1]) errors.lawyer = t(wrong[1]);
    show(form, errors);
    if (Object.keys(errors).length > 0) return;
    keepSettings({
      station, lawyer, names: { ...settings.names, [lawyer]: f.name.value.trim() }, choosing: undefined,
      ...(station !== settings.station ? { agency: undefined } : {}),
      stationNames: { ...settings.stationNames, ...(names[station] ? { [station]: names[station] } : {}) },
    });
    address();
    for (const e of document.querySelectorAll('form[data-entry]')) clean(e);
    load().then(render).then(lookElsewhere);
    render();
    (openShift() ? $('sign-out') : document.querySelector('#shift-form input:checked, #shift-form input'))?.focus();
    navigator.storage?.persist?.().catch(() => {});
  });
  $('change').addEventListener('click', () => { choose(); f.lawyer.focus(); });
  $('again').addEventListener('click', () => { settings.choosing = undefined; render(); });
}

// choose shows the choice again, with what is chosen now.
function choose() {
  const f = $('setup-form').elements;
  settings.choosing = true;
  f.station.value = settings.station;
  f.lawyer.value = settings.lawyer;
  f.name.value = settings.names[settings.lawyer] ?? '';
  const known = Object.keys(settings.names).filter((l) => l !== settings.lawyer);
  $('known').replaceChildren(...known.map((l) => el('button', {
    type: 'button', class: 'plain',
    onclick: () => { f.lawyer.value = l; f.name.value = settings.names[l]; clearError(f.lawyer.closest('[data-field]')); $('setup-form').requestSubmit(); },
  }, lawyerName(l))));
  $('known-box').hidden = known.length === 0;
  render();
}

// address keeps the station in the address, so that it can be a bookmark.
function address() {
  const path = '/desk' + (settings.station ? '/' + settings.station : '');
  if (location.pathname !== path) history.replaceState(null, '', path + location.search);
  const other = $('language');
  other.href = path + (lang === 'en' ? '' : '?lang=en');
}

// ---- Frame ------------------------------------------------------------------

let noticeTimer = 0;

function notice(message, bad = false) {
  const p = $('notice');
  p.textContent = message;
  p.classList.toggle('bad', bad);
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => { p.textContent = ''; }, bad ? 15e3 : 4e3);
}

// Other open pages hear of changes.
const others = 'BroadcastChannel' in window ? new BroadcastChannel('zhiban-desk') : undefined;
others?.addEventListener('message', async () => { await load(); render(); });

async function changed() {
  await load();
  render();
  others?.postMessage('changed');
}

const sender = new Sender(async (why) => {
  pausing = why;
  await changed();
});

function tabs() {
  const all = [...document.querySelectorAll('[role="tab"]')];
  const select = (tab) => {
    for (const x of all) {
      x.setAttribute('aria-selected', x === tab);
      x.tabIndex = x === tab ? 0 : -1;
      $(x.getAttribute('aria-controls')).hidden = x !== tab;
    }
  };
  for (const tab of all) {
    tab.addEventListener('click', () => select(tab));
    tab.addEventListener('keydown', (ev) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[ev.key];
      if (!step) return;
      const next = all[(all.indexOf(tab) + step + all.length) % all.length];
      select(next);
      next.focus();
      ev.preventDefault();
    });
  }
}

async function start() {
  readSettings();
  const asked = location.pathname.split('/')[2] ?? '';
  setup();
  tabs();
  let storeWorks = true;
  try {
    await load();
    await forget();
  } catch (err) {
    console.warn('desk: opening', err);
    storeWorks = false;
  }
  if (asked && asked !== settings.station) {
    if (rules.wrongStation(asked, divisions) === '') keepSettings({ station: asked, agency: undefined });
    else notice(t('wrong.station.asked', asked), true);
  }
  if (storeWorks) {
    known = elsewhere.remembered(settings.station);
    await load();
  }
  entryForms();
  if (!settings.station || !settings.lawyer) choose();
  address();
  render();
  $('loading').hidden = true;
  $('main').hidden = false;
  if (!storeWorks) {
    $('broken').hidden = false;
    return;
  }
  $('unsent').addEventListener('click', () => sender.send());
  $('login').querySelector('a').href = '/login?next=' + encodeURIComponent(location.pathname + location.search) + (lang === 'en' ? '&lang=en' : '');
  addEventListener('online', () => { render(); sender.send(); lookElsewhere(); });
  addEventListener('offline', render);
  document.addEventListener('visibilitychange', async () => {
    if (document.visibilityState !== 'visible') return;
    await load();
    render();
    sender.send();
    lookElsewhere();
  });
  setInterval(render, 30e3);
  setInterval(() => { if (known.why !== 'alone' && document.visibilityState === 'visible') lookElsewhere(); }, 60e3);
  sender.send();
  lookElsewhere();
  if ('serviceWorker' in navigator) {
    navigator.serviceWorker.register(worker, { scope: '/desk' })
      .then(() => navigator.serviceWorker.ready)
      .then(() => { document.body.dataset.offline = 'ready'; })
      .catch((err) => console.warn('desk: service worker', err));
  }
  document.body.dataset.ready = 'true';
}

start();
