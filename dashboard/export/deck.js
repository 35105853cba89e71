// buildDeck lays the slides out with PptxGenJS. It gets everything as data (see
// slides.go for its shape): texts are finished, numbers stand beside them for
// the charts as decimal text, null where there is none. It returns a promise of
// the file in base64.
function buildDeck(d) {
  const FONT = '微软雅黑';
  const BLUE = '1B4B8A', DEEP = '123766', RED = 'B3261E', GREEN = '2F8F6B', INK = '1F2A37', GREY = '5B6672', PALE = 'F3F6FA';
  const SERIES = ['1B4B8A', 'E08A1E', '2F8F6B', '7A5EA8', 'B3261E', '9AA7B5'];
  const pptx = new PptxGenJS();
  pptx.layout = 'LAYOUT_WIDE'; // 13.33 × 7.5 inches
  pptx.title = d.title;
  pptx.subject = d.period;
  pptx.author = d.unit;
  pptx.company = '值班律师工作站统计分析平台'; // not escaped by the library: never a text from outside
  pptx.theme = { headFontFace: FONT, bodyFontFace: FONT };

  // Text has the face of the theme: whoever edits the slides can change it in
  // one place, and the slides are half as large.
  function type(size, more) {
    return Object.assign({ fontSize: size, color: INK, lang: 'zh-CN', margin: 0 }, more);
  }
  pptx.defineSlideMaster({
    title: 'BODY',
    background: { color: 'FFFFFF' },
    objects: [
      { rect: { x: 0, y: 0, w: 13.33, h: 0.85, fill: { color: DEEP } } },
      { rect: { x: 0, y: 0.85, w: 13.33, h: 0.05, fill: { color: RED } } },
      { placeholder: { options: type(24, { name: 'title', type: 'title', x: 0.5, y: 0.1, w: 12.3, h: 0.65, color: 'FFFFFF', bold: true, align: 'left', valign: 'middle' }), text: '' } },
      { text: { text: d.footer, options: type(10, { x: 0.5, y: 7.08, w: 11, h: 0.28, color: GREY }) } },
    ],
    slideNumber: { x: 12.2, y: 7.08, w: 0.65, h: 0.28, fontSize: 10, color: GREY, align: 'right' },
  });

  let chapter = 0;
  function body(title, notes) {
    const slide = pptx.addSlide({ masterName: 'BODY' });
    slide.addText(['一', '二', '三', '四', '五', '六', '七', '八', '九', '十', '十一'][chapter] + '、' + title, { placeholder: 'title' });
    slide.addNotes(notes || d.footer);
    return slide;
  }

  // pages cuts rows into slides of at most size rows, as even as can be.
  function pages(rows, size) {
    const per = Math.ceil(rows.length / Math.ceil(rows.length / size));
    const out = [];
    for (let at = 0; at < rows.length; at += per) out.push(rows.slice(at, at + per));
    return out;
  }

  // table: head and rows of texts, first column left, the others right. A cell
  // is text or {t: text, tone: 'up' | 'down'}.
  function table(slide, head, rows, options) {
    const size = options.size || 12;
    const left = options.left || [0], center = options.center || [];
    function cell(c, i, row) {
      const text = typeof c === 'string' ? c : c.t;
      const tone = c.tone === 'up' ? RED : c.tone === 'down' ? GREEN : INK;
      const total = options.total && row === rows.length - 1;
      const fill = total ? 'E4EBF4' : row % 2 ? PALE : 'FFFFFF';
      return {
        text: text,
        options: type(size, { color: tone, bold: total, align: left.includes(i) ? 'left' : center.includes(i) ? 'center' : 'right', valign: 'middle', fill: { color: fill }, margin: [0.02, 0.08, 0.02, 0.08] }),
      };
    }
    const top = head.map((text) => ({
      text: text,
      options: type(size, { color: 'FFFFFF', bold: true, align: 'center', valign: 'middle', fill: { color: BLUE }, margin: [0.02, 0.05, 0.02, 0.05] }),
    }));
    slide.addTable([top].concat(rows.map((row, n) => row.map((c, i) => cell(c, i, n)))), {
      x: options.x, y: options.y, w: options.w, colW: options.colW, rowH: options.rowH,
    });
  }

  const axes = {
    catAxisLabelFontFace: FONT, catAxisLabelFontSize: 11, catAxisLabelColor: INK,
    valAxisLabelFontFace: FONT, valAxisLabelFontSize: 10, valAxisLabelColor: GREY, valAxisLabelFormatCode: '#,##0', valAxisMinVal: 0,
    valGridLine: { color: 'E3E8EE', size: 0.75 }, catGridLine: { style: 'none' },
    showLegend: true, legendPos: 'b', legendFontFace: FONT, legendFontSize: 11, legendColor: INK,
    showTitle: true, titleFontFace: FONT, titleFontSize: 13, titleColor: INK, titleBold: true,
    dataLabelFontFace: FONT, dataLabelFontSize: 10, dataLabelColor: INK, dataLabelFormatCode: '#,##0',
    chartColors: SERIES, displayBlanksAs: 'gap',
  };
  function chart(slide, kind, c, options) {
    if (!c.any) {
      slide.addText(c.title + '\n本期没有数据', type(13, { x: options.x, y: options.y, w: options.w, h: options.h, align: 'center', valign: 'middle', color: GREY }));
      return;
    }
    slide.addChart(kind, c.series.map((s) => ({ name: s.name, labels: c.labels, values: s.values })),
      Object.assign({}, axes, { title: c.title, altText: c.title }, options));
  }

  const cover = pptx.addSlide();
  cover.background = { color: DEEP };
  cover.addShape('rect', { x: 0, y: 4.95, w: 13.33, h: 0.06, fill: { color: RED } });
  cover.addText(d.title, type(38, { x: 0.8, y: 1.9, w: 11.73, h: 1.3, bold: true, color: 'FFFFFF', align: 'center', valign: 'middle', fit: 'shrink' }));
  cover.addText(d.period, type(24, { x: 0.8, y: 3.4, w: 11.73, h: 0.7, color: 'DCE8F6', align: 'center', valign: 'middle' }));
  cover.addText(d.unit, type(20, { x: 0.8, y: 5.25, w: 11.73, h: 0.5, color: 'FFFFFF', align: 'center', valign: 'middle' }));
  cover.addText(d.asOf, type(13, { x: 0.8, y: 5.85, w: 11.73, h: 0.4, color: 'C3D3E8', align: 'center', valign: 'middle' }));

  let s = body('核心指标', d.basis);
  table(s, d.key.head, d.key.rows, { x: 0.5, y: 1.1, w: 12.33, colW: [2.73, 1, 1.6, 1.6, 1.9, 1.6, 1.9], rowH: 0.385, size: 13, center: [1] });
  s.addText(d.key.note, type(11, { x: 0.5, y: 6.6, w: 12.33, h: 0.4, color: GREY, valign: 'top' }));
  chapter++;

  if (d.parts.rows.length > 1) {
    s = body(d.parts.title, d.basis);
    chart(s, 'bar', d.parts.chart, {
      x: 0.4, y: 1.0, w: 12.5, h: 6.0, barDir: 'col', barGapWidthPct: 55, showValue: true, dataLabelPosition: 'outEnd', dataLabelFontSize: 9,
      catAxisLabelRotate: d.parts.rotate,
    });
    pages(d.parts.rows, 18).forEach((rows, n, all) => {
      s = body(d.parts.title + (n > 0 ? '（续）' : '（明细）'), d.basis);
      const first = d.parts.wide ? 4.6 : 2.8, rest = (12.33 - first) / (d.parts.head.length - 1);
      table(s, d.parts.head, rows, {
        x: 0.5, y: 1.05, w: 12.33, colW: [first].concat(d.parts.head.slice(1).map(() => rest)), rowH: [0.55].concat(rows.map(() => 0.3)), size: 11,
        total: n === all.length - 1,
      });
    });
    chapter++;
  }

  s = body('各类工作站工作情况', d.basis);
  chart(s, 'bar', d.kinds.chart, { x: 0.4, y: 1.05, w: 12.5, h: 3.7, barDir: 'col', barGapWidthPct: 90, showValue: true, dataLabelPosition: 'outEnd' });
  table(s, d.kinds.head, d.kinds.rows, { x: 0.5, y: 4.85, w: 12.33, rowH: [0.55].concat(d.kinds.rows.map(() => 0.34)), size: 11, total: true });
  chapter++;

  s = body('月度趋势（本年与上年）', d.basis);
  s.addText(d.trendNote, type(11, { x: 0.5, y: 6.65, w: 12.33, h: 0.35, color: GREY, valign: 'top' }));
  d.trends.forEach((t, i) => chart(s, 'line', t, {
    x: 0.4 + i * 6.3, y: 1.05, w: 6.2, h: 5.5, chartColors: [BLUE, 'E08A1E'], lineSize: 2.5, lineDataSymbolSize: 6,
  }));
  chapter++;

  s = body('咨询与值班构成', d.basis);
  d.splits.forEach((c, i) => chart(s, 'doughnut', c, {
    x: 0.4 + i * 4.2, y: 1.05, w: 4.1, h: 3.9, holeSize: 52, showPercent: true, showLabel: false, showValue: false, dataLabelColor: 'FFFFFF', dataLabelFontSize: 11,
    dataLabelFormatCode: '0%', dataBorder: { pt: 1, color: 'FFFFFF' }, legendFontSize: 11,
  }));
  d.splits.forEach((c, i) => table(s, ['构成', c.unit, '占比'], c.rows, { x: 0.6 + i * 4.2, y: 5.05, w: 3.7, colW: [1.7, 1, 1], rowH: 0.33, size: 11 }));
  chapter++;

  s = body('告知义务履行', d.basis);
  chart(s, 'bar', d.notices.chart, {
    x: 0.4, y: 1.05, w: 12.5, h: 3.25, barDir: 'bar', barGrouping: 'stacked', barGapWidthPct: 45,
    chartColors: [GREEN, 'E08A1E', '7A5EA8', RED, '9AA7B5'],
  });
  table(s, d.notices.head, d.notices.rows, { x: 0.5, y: 4.4, w: 12.33, rowH: 0.34, size: 11, total: true });
  s.addText(d.notices.note, type(11, { x: 0.5, y: 6.6, w: 12.33, h: 0.45, color: GREY, valign: 'top' }));
  chapter++;

  s = body('法律帮助请求与检察监督', d.basis);
  chart(s, 'bar', d.supervision.chart, { x: 0.4, y: 1.05, w: 12.5, h: 3.25, barDir: 'col', barGapWidthPct: 60, showValue: true, dataLabelPosition: 'outEnd' });
  table(s, d.supervision.head, d.supervision.rows, { x: 0.5, y: 4.4, w: 12.33, rowH: [0.5].concat(d.supervision.rows.map(() => 0.32)), size: 11, total: true });
  s.addText(d.supervision.note, type(11, { x: 0.5, y: 6.65, w: 12.33, h: 0.4, color: GREY, valign: 'top' }));
  chapter++;

  s = body('值班律师队伍与保障', d.basis);
  table(s, d.team.head, d.team.rows, { x: 0.5, y: 1.15, w: 12.33, colW: [2.73, 1, 1.6, 1.6, 1.9, 1.6, 1.9], rowH: 0.42, size: 13, center: [1] });
  s.addText(d.team.note, type(11, { x: 0.5, y: 6.6, w: 12.33, h: 0.4, color: GREY, valign: 'top' }));
  if (d.firms.rows.length > 1) {
    s = body('值班律师队伍与保障（律师事务所）', d.basis);
    table(s, d.firms.head, d.firms.rows, { x: 0.5, y: 1.05, w: 12.33, colW: [3.93].concat(d.firms.head.slice(1).map(() => 8.4 / (d.firms.head.length - 1))), rowH: [0.5].concat(d.firms.rows.map(() => 0.35)), size: 11, total: true });
    s.addText(d.firms.note, type(11, { x: 0.5, y: 6.65, w: 12.33, h: 0.4, color: GREY, valign: 'top' }));
  }
  chapter++;

  if (d.matters.rows.length > 0) {
    pages(d.matters.rows, 17).forEach((rows, n, all) => {
      s = body('会议、重大事项与检查整改' + (n > 0 ? '（续）' : ''), d.basis);
      const first = d.matters.wide ? 4.6 : 2.8, rest = (12.33 - first) / (d.matters.head.length - 1);
      table(s, d.matters.head, rows, {
        x: 0.5, y: 1.05, w: 12.33, colW: [first].concat(d.matters.head.slice(1).map(() => rest)), rowH: [0.5].concat(rows.map(() => 0.31)), size: 11,
        total: n === all.length - 1,
      });
    });
    chapter++;
  }

  pages(d.definitions, 10).forEach((rows, n, all) => {
    s = body('指标口径' + (n > 0 ? '（续）' : ''), d.basis);
    table(s, ['指标', '单位', '口径', '依据'], rows, { x: 0.5, y: 1.1, w: 12.33, colW: [2.4, 0.9, 6.53, 2.5], rowH: [0.4].concat(rows.map(() => 0.5)), size: 12, left: [0, 2, 3], center: [1] });
    if (n === all.length - 1) {
      s.addText(d.basis, type(10, { x: 0.5, y: 6.35, w: 12.33, h: 0.7, color: GREY, valign: 'top' }));
    }
  });
  return pptx.write({ outputType: 'base64' });
}
