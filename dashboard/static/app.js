// Draws the charts and keeps an open page up to date. Pages work without it:
// each chart's figures stand in a table beside it.
(() => {
  'use strict';

  // ---- Charts -------------------------------------------------------------
  // A script of type application/json holds {table, unit, map, names, option}.
  // Colours that begin with -- are tokens of app.css.

  const dark = matchMedia('(prefers-color-scheme: dark)');
  const drawn = new Map(); // by id: {element, chart, json}
  const maps = new Map(); // by address: promise of GeoJSON
  const english = document.documentElement.lang === 'en';

  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const shown = (v) => typeof v === 'number' && isFinite(v) ? v.toLocaleString('en-US', { maximumFractionDigits: 1 }) : '—';

  // Replaces the tokens among an option's colours.
  function coloured(value, key) {
    if (Array.isArray(value)) return value.map((v) => coloured(v, key));
    if (value && typeof value === 'object') {
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, coloured(v, k)]));
    }
    if (typeof value === 'string' && value.startsWith('--') && /color$/i.test(key)) return token(value);
    return value;
  }

  function theme() {
    const text = token('--text'), muted = token('--muted'), line = token('--line');
    const axis = { axisLine: { lineStyle: { color: muted } }, axisTick: { show: false }, axisLabel: { color: text }, splitLine: { lineStyle: { color: line } } };
    return {
      color: [1, 2, 3, 4, 5, 6].map((n) => token('--series-' + n)),
      backgroundColor: 'transparent',
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: text },
      legend: { textStyle: { color: text }, itemWidth: 18, itemHeight: 10 },
      categoryAxis: { ...axis, splitLine: { show: false } },
      valueAxis: { ...axis, axisLine: { show: false } },
      visualMap: { textStyle: { color: text } },
      tooltip: { backgroundColor: token('--card'), borderColor: line, textStyle: { color: text, fontSize: 13 } },
      pie: { label: { color: text }, itemStyle: { borderColor: token('--card'), borderWidth: 2 } },
    };
  }

  // A tooltip is made of elements, never of HTML text: names are only text, and
  // the policy of the page allows no style attributes.
  function tip(spec) {
    return (params) => {
      const list = Array.isArray(params) ? params : [params];
      const box = document.createElement('div');
      box.className = 'tip';
      const add = (parent, tag, text) => {
        const e = parent.appendChild(document.createElement(tag));
        e.textContent = text;
        return e;
      };
      const name = list[0].axisValueLabel ?? list[0].name;
      add(box, 'b', spec.names?.[name] ?? name);
      for (const p of list) {
        const v = Array.isArray(p.value) ? p.value[p.value.length - 1] : p.value;
        if (v === '-' || v === undefined) continue;
        const row = box.appendChild(document.createElement('div'));
        add(row, 'span', p.seriesName ?? '');
        add(row, 'span', shown(v) + ' ' + spec.unit + (p.percent === undefined ? '' : ' (' + p.percent + '%)'));
      }
      return box;
    };
  }

  async function regions(address) {
    if (!maps.has(address)) {
      maps.set(address, fetch(address).then((r) => {
        if (!r.ok) throw new Error('map ' + address + ': ' + r.status);
        return r.json();
      }).then((geo) => {
        echarts.registerMap(address, geo);
        return geo;
      }));
    }
    return maps.get(address);
  }

  // Divisions without borders become pins, and every region gets its name where
  // there is room for it.
  function place(option, spec, geo) {
    const [areas, pins] = option.series;
    const points = new Map((geo.points ?? []).map((p) => [p.code, p.cp]));
    pins.data = areas.data.filter((d) => points.has(d.name)).map((d) => ({ name: d.name, value: [...points.get(d.name), d.value] }));
    areas.data = areas.data.filter((d) => !points.has(d.name));
    const label = { show: true, fontSize: 12, fontWeight: 600, color: token('--map-text'), textBorderColor: token('--map-halo'), textBorderWidth: 3 };
    pins.itemStyle = { borderColor: token('--text'), borderWidth: 1 };
    pins.z = 6;
    Object.assign(option.geo, {
      map: spec.map,
      label: { show: false },
      itemStyle: { areaColor: token('--map-none'), borderColor: token('--map-line'), borderWidth: 1 },
      emphasis: { label: { show: false }, itemStyle: { areaColor: token('--map-hover') } },
      select: { disabled: true },
    });
    const named = [...points].concat(geo.features.map((f) => [f.properties.code, f.properties.cp])).filter(([code, cp]) => cp && spec.names[code]);
    option.series.push({
      type: 'scatter', coordinateSystem: 'geo', silent: true, symbolSize: 1, itemStyle: { color: 'transparent' }, z: 7, tooltip: { show: false },
      data: named.map(([code, cp]) => ({ name: code, value: [...cp, 0] })),
      label: { ...label, position: 'inside', formatter: (p) => spec.names[p.name] },
      labelLayout: (p) => points.has(named[p.dataIndex]?.[0]) ? { dy: 18, hideOverlap: true } : { hideOverlap: true },
    });
  }

  // Where a mark leads: the link of the same name in the table.
  function follow(spec, name) {
    for (const a of document.querySelectorAll('#' + CSS.escape(spec.table) + ' a[data-mark]')) {
      if (a.dataset.mark === name) {
        location.assign(a.href);
        return;
      }
    }
  }

  async function draw(script) {
    const id = script.dataset.chart, json = script.textContent;
    const element = document.getElementById(id);
    const spec = JSON.parse(json);
    const option = coloured(spec.option, '');
    if (spec.map) place(option, spec, await regions(spec.map));
    option.tooltip = { ...option.tooltip, confine: true, formatter: tip(spec) };
    let d = drawn.get(id);
    if (!d) {
      d = { element, chart: echarts.init(element, theme(), { renderer: 'svg', locale: english ? 'EN' : 'ZH' }) };
      d.chart.on('click', (p) => follow(d.spec, p.name));
      drawn.set(id, d);
    }
    d.json = json;
    d.spec = spec;
    d.chart.setOption(option, { notMerge: true });
    fit(d);
    element.dataset.drawn = id;
  }

  function drawAll() {
    for (const script of document.querySelectorAll('script[data-chart]')) {
      if (drawn.get(script.dataset.chart)?.json !== script.textContent) draw(script).catch((e) => console.error(e));
    }
  }

  function redraw() {
    for (const { chart } of drawn.values()) chart.dispose();
    drawn.clear();
    drawAll();
  }

  function resize() {
    for (const d of drawn.values()) {
      d.chart.resize();
      fit(d);
    }
  }

  // Printing scales a drawing to the paper: it needs to know its own size.
  function fit({ element, chart }) {
    chart.getZr().flush();
    element.querySelector('svg').setAttribute('viewBox', '0 0 ' + chart.getWidth() + ' ' + chart.getHeight());
  }

  // ---- New data -----------------------------------------------------------
  // An open page asks how far the projection has come. When it has moved, the
  // page is fetched again and its parts marked data-live are put in place of
  // the old ones; charts stay where they are and take the new figures.

  const fresh = () => document.getElementById('fresh');
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const cutOf = (status) => Object.entries(status.cut ?? {}).map(([p, o]) => [Number(p), o]).sort((a, b) => a[0] - b[0]).map(([p, o]) => p + ':' + o).join(',');
  let told = 0;

  function tell(text) {
    if (Date.now() - told < 60000) return; // a reader of the screen is not told of every event
    told = Date.now();
    const notice = document.getElementById('notice');
    notice.textContent = text;
    setTimeout(() => { if (notice.textContent === text) notice.textContent = ''; }, 4000);
  }

  // Says for good that the session is over; nothing is asked for after that.
  function expired() {
    const notice = document.getElementById('notice'), again = document.createElement('a');
    again.href = '/login?next=' + encodeURIComponent(location.pathname + location.search) + (english ? '&lang=en' : '');
    again.textContent = document.body.dataset.login;
    told = Infinity;
    notice.replaceChildren(document.body.dataset.expired, again);
    fresh()?.classList.add('stale');
  }

  // Fetches what the page is made of; undefined when the session is over.
  async function ask(address) {
    const r = await fetch(address, { cache: 'no-store' });
    if (r.status === 401) return undefined;
    if (!r.ok) throw new Error(address + ': ' + r.status);
    return r;
  }

  function replace(old, next) {
    const focus = old.contains(document.activeElement) ? document.activeElement : null;
    const scrolled = [...old.querySelectorAll('.scroll')].map((s) => [s.scrollLeft, s.scrollTop]);
    const values = new Map([...old.querySelectorAll('[data-code]')].map((c) => [c.dataset.code, c.querySelector('.value').textContent]));
    old.replaceChildren(...[...next.childNodes].map((n) => document.importNode(n, true)));
    for (const e of old.querySelectorAll('.chart')) {
      const d = drawn.get(e.id);
      if (d) {
        d.element.setAttribute('aria-label', e.getAttribute('aria-label'));
        e.replaceWith(d.element);
      }
    }
    old.querySelectorAll('.scroll').forEach((s, i) => {
      if (scrolled[i]) [s.scrollLeft, s.scrollTop] = scrolled[i];
    });
    for (const c of old.querySelectorAll('[data-code]')) {
      if (values.has(c.dataset.code) && values.get(c.dataset.code) !== c.querySelector('.value').textContent) c.classList.add('changed');
    }
    if (focus?.href) [...old.querySelectorAll('a')].find((a) => a.href === focus.href)?.focus({ preventScroll: true });
  }

  async function refresh() {
    const r = await ask(location.href);
    if (!r) return false;
    const next = new DOMParser().parseFromString(await r.text(), 'text/html');
    for (const part of document.querySelectorAll('[data-live]')) {
      const n = next.getElementById(part.id);
      if (n) replace(part, n);
    }
    for (const [id, d] of drawn) {
      if (!d.element.isConnected) {
        d.chart.dispose();
        drawn.delete(id);
      }
    }
    drawAll();
    document.body.dataset.cut = next.body.dataset.cut ?? document.body.dataset.cut;
    tell(document.body.dataset.updated);
    return true;
  }

  async function watch() {
    const pause = Number(document.body.dataset.poll);
    let failed = 0, took = 0;
    for (;;) {
      await wait(Math.max(pause, 3 * took));
      if (document.visibilityState !== 'visible') continue;
      try {
        const r = await ask('/api/v1/status');
        if (!r) return expired();
        if (cutOf(await r.json()) !== document.body.dataset.cut) {
          const begun = performance.now();
          if (!await refresh()) return expired();
          took = performance.now() - begun;
        }
        failed = 0;
      } catch {
        failed++;
      }
      fresh()?.classList.toggle('stale', failed > 1);
    }
  }

  drawAll();
  dark.addEventListener('change', redraw);
  let pending = 0;
  addEventListener('resize', () => {
    clearTimeout(pending);
    pending = setTimeout(resize, 100);
  });
  if (document.body.dataset.cut !== undefined) watch();
})();
