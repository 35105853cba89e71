// Maps of the province by our division codes: see makeMaps.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const province = '220000';

// Polygons whose code in the source is not the division's code today. Every
// other polygon must have the code and the name of a county in divisions.tsv,
// or the build fails.
const recoded = {
  220381: {
    to: '220184',
    why: '公主岭市 went from 四平市 to 长春市 on 2020-06-01 with its border unchanged; the source is older',
  },
};

// Kinds of division that have no polygon, and why. They stand in the table
// beside the map.
const withoutPolygon = {
  nbs_devzone: 'a development zone reports for itself but lies inside the districts around it; no border is published',
  internal: '长白山保护开发区 and its three districts are cut from 安图县 and 抚松县; no border is published',
};

// Of these, the ones shown on the province's map as a pin.
const pins = {
  '22CB00': [128.11, 42.42], // its seat, 池北区
};

// Labels that would cover a neighbour's at the point well inside that mapshaper finds.
const labels = {
  220104: [125.21, 43.78], // 朝阳区, beside 南关区
};

// makeMaps returns the map files by name: 220000.json with the prefectures and
// a file for each prefecture with its counties. Each is GeoJSON; a feature has
// the properties code, name and cp (where its label goes), and the collection
// has a further member "points", the pins, with the same three.
//
// sourceDir holds county polygons of before 2020, a file for each prefecture
// of that time. They are cleaned together as one topology, so that neighbours
// share their border, and dissolved into prefectures, so that both levels agree.
export async function makeMaps(sourceDir, divisionsFile) {
  const { default: mapshaper } = await import('mapshaper');
  const divisions = readDivisions(divisionsFile);
  const source = { type: 'FeatureCollection', features: readCounties(sourceDir, divisions) };
  const written = 'format=geojson precision=0.001'; // the source's own grid, about 100 m
  const out = await mapshaper.applyCommands([
    '-i source.json snap snap-interval=0.002 name=counties',
    // The first clean resolves overlaps, which leaves specks of a county inside
    // its neighbour; without them, the second gives their place to the neighbour.
    '-clean gap-fill-area=3km2',
    '-explode -filter "this.area > 3e6" -dissolve code copy-fields=parent',
    '-clean gap-fill-area=3km2',
    '-simplify 25% keep-shapes',
    '-dissolve parent + name=prefectures',
    `-o target=counties counties.json ${written}`,
    '-simplify target=prefectures 10% keep-shapes',
    `-o target=prefectures prefectures.json ${written}`,
  ].map(withLabelPoint).join(' '), { 'source.json': JSON.stringify(source) });

  const files = {};
  const write = (code, features) => {
    files[`${code}.json`] = JSON.stringify({
      type: 'FeatureCollection',
      features: features.sort((a, b) => a.properties.code.localeCompare(b.properties.code)),
      points: Object.entries(pins)
        .filter(([pin]) => divisions.get(pin).parent === code)
        .map(([pin, cp]) => ({ code: pin, name: divisions.get(pin).name, cp })),
    });
  };
  const counties = JSON.parse(out['counties.json']).features.map((f) => feature(divisions, f.properties.code, f));
  const prefectures = JSON.parse(out['prefectures.json']).features.map((f) => feature(divisions, f.properties.parent, f));
  write(province, prefectures);
  for (const { properties: { code } } of prefectures) {
    write(code, counties.filter((f) => divisions.get(f.properties.code).parent === code));
  }
  return files;
}

// withLabelPoint has mapshaper find a point well inside each polygon that it is
// about to write.
function withLabelPoint(command) {
  const target = command.match(/^-o (target=\w+)/)?.[1];
  if (!target) return command;
  return `-each ${target} "cp = [+this.innerX.toFixed(3), +this.innerY.toFixed(3)]" ${command}`;
}

function feature(divisions, code, { geometry, properties: { cp } }) {
  return { type: 'Feature', properties: { code, name: divisions.get(code).name, cp: labels[code] ?? cp }, geometry };
}

// readDivisions returns the divisions that exist today, by code.
function readDivisions(file) {
  const [head, ...rows] = readFileSync(file, 'utf8').trim().split('\n').map((line) => line.split('\t'));
  const all = rows.map((row) => Object.fromEntries(head.map((name, i) => [name, row[i]])));
  return new Map(all.filter((d) => !d.valid_to).map((d) => [d.code, d]));
}

// readCounties returns the source's polygons with today's codes, and throws
// unless there is exactly one for each county.
function readCounties(dir, divisions) {
  const features = [];
  const missing = new Map([...divisions].filter(([, d]) => d.level === 'county' && !(d.kind in withoutPolygon)));
  for (const file of readdirSync(dir).filter((name) => name.startsWith('ji2_lin2_'))) {
    for (const { id, properties, geometry } of JSON.parse(readFileSync(join(dir, file), 'utf8')).features) {
      const code = recoded[id]?.to ?? id;
      const division = missing.get(code);
      if (division?.name !== properties.name) {
        throw new Error(`the polygon ${id} ${properties.name} is no county of divisions.tsv, or there are two of it: see "recoded" in map.mjs`);
      }
      missing.delete(code);
      features.push({ type: 'Feature', properties: { code, parent: division.parent }, geometry });
    }
  }
  if (missing.size > 0) {
    throw new Error(`no polygon for ${[...missing.values()].map((d) => d.code + ' ' + d.name).join(', ')}: see "withoutPolygon" in map.mjs`);
  }
  return features;
}
