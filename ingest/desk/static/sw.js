// Lets the desk open without a network: keeps the page and its files, nothing
// else. Entries are kept by the page itself. The first two lines are made by
// the server.
const version = '{{version}}';
const files = [/*{{files}}*/];
const kept = 'desk-' + version;
const patience = 4000; // ms for a page from the network before the kept one is shown

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(kept)
    .then((cache) => Promise.all(files.map((f) => keep(cache, f))))
    .then(() => self.skipWaiting()));
});

// keep keeps a file; what another address answered, as the login does, is not it.
async function keep(cache, file) {
  const answer = await fetch(new Request(file, { cache: 'reload' }));
  if (!answer.ok || answer.redirected) throw new Error('desk: ' + file + ' is not to be had: ' + answer.status + ' ' + answer.url);
  await cache.put(file, answer);
}

self.addEventListener('activate', (event) => {
  event.waitUntil(caches.keys()
    .then((names) => Promise.all(names.filter((n) => n.startsWith('desk-') && n !== kept).map((n) => caches.delete(n))))
    .then(() => self.clients.claim()));
});

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== location.origin) return;
  if (url.pathname.startsWith('/desk/static/')) {
    event.respondWith(caches.match(event.request).then((hit) => hit ?? fetch(event.request)));
  } else if (event.request.mode === 'navigate' && (url.pathname === '/desk' || url.pathname.startsWith('/desk/'))) {
    event.respondWith(page(event.request, url));
  }
});

// page is from the network, or the kept one when that takes long or fails: one
// page serves every station.
async function page(request, url) {
  const own = () => caches.match(url.searchParams.get('lang') === 'en' ? '/desk?lang=en' : '/desk');
  const fresh = fetch(request).then((answer) => {
    if (answer.status >= 500) throw new Error('the server is not up');
    return answer;
  });
  fresh.catch(() => {});
  try {
    return await Promise.race([fresh, new Promise((_, late) => setTimeout(() => late(new Error('late')), patience))]);
  } catch {
    return (await own()) ?? fresh;
  }
}
