// The ledger of this device: every entry made here, with what became of it,
// in IndexedDB.
//
// A record is {seq, event, state, errors}: seq counts entries on the device,
// event is the CloudEvent as it is sent, state is
//
//   waiting   the server has not answered for it yet
//   sent      the server has it
//   rejected  the server refused it; errors is [{location, message}]

let opened;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open('zhiban-desk', 1);
    request.onupgradeneeded = () => request.result.createObjectStore('events', { keyPath: 'seq', autoIncrement: true });
    request.onsuccess = () => {
      request.result.onversionchange = () => { request.result.close(); opened = undefined; };
      resolve(request.result);
    };
    request.onerror = () => { opened = undefined; reject(request.error); };
  });
  return opened;
}

// inTransaction resolves when what was done is on disk.
async function inTransaction(mode, work) {
  const db = await open();
  return new Promise((resolve, reject) => {
    const tx = db.transaction('events', mode, { durability: mode === 'readwrite' ? 'strict' : 'default' });
    const request = work(tx.objectStore('events'));
    tx.oncomplete = () => resolve(request?.result);
    tx.onabort = tx.onerror = () => reject(tx.error ?? new Error('the ledger of this device could not be written'));
  });
}

// add keeps events, all or none.
export const add = (events) => inTransaction('readwrite', (s) => {
  for (const event of events) s.add({ event, state: 'waiting', errors: [] });
});

// all lists the records in the order of entry.
export const all = () => inTransaction('readonly', (s) => s.getAll());

// change gives records other values; those that are gone stay gone.
export const change = (changes) => inTransaction('readwrite', (s) => {
  for (const [seq, values] of changes) {
    const get = s.get(seq);
    get.onsuccess = () => { if (get.result) s.put({ ...get.result, ...values }); };
  }
});

export const remove = (seqs) => inTransaction('readwrite', (s) => { for (const seq of seqs) s.delete(seq); });
