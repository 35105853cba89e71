// The import page: dropping files, and showing how far it is. Without it the
// forms work by themselves.
'use strict';

const byId = id => document.getElementById(id);

function show(percent, text) {
  const box = byId('progress');
  box.hidden = false;
  const bar = box.querySelector('progress');
  if (percent === null) bar.removeAttribute('value'); else bar.value = percent;
  box.querySelector('span').textContent = text;
}

function failed(form, text) {
  byId('error').textContent = text || form.dataset.broken;
  byId('progress').hidden = true;
  form.querySelector('button').disabled = false;
  byId('error').scrollIntoView({block: 'nearest'});
}

// toLogin says that nobody is logged in any more, and leads to the login and back.
function toLogin(form) {
  failed(form, form.dataset.login);
  const link = document.createElement('a');
  const english = document.documentElement.lang === 'en';
  link.href = '/login?next=' + encodeURIComponent(location.pathname + location.search) + (english ? '&lang=en' : '');
  link.textContent = form.dataset.toLogin;
  byId('error').append(' ', link);
}

// send posts a form and goes to the page that answers it.
function send(form, body, uploading) {
  const request = new XMLHttpRequest();
  request.open('POST', form.action);
  request.responseType = 'document';
  if (uploading) request.upload.onprogress = e => show(e.lengthComputable && e.loaded < e.total ? 100 * e.loaded / e.total : null, uploading);
  request.onload = () => {
    if (request.status < 400) return location.assign(request.responseURL);
    if (request.status === 401) return toLogin(form);
    const said = request.response && request.response.getElementById('error');
    failed(form, said && said.textContent.trim());
  };
  request.onerror = request.onabort = () => failed(form);
  form.querySelector('button').disabled = true;
  request.send(body);
  return request;
}

const upload = byId('upload');
if (upload) {
  const drop = byId('drop'), files = byId('files'), chosen = byId('chosen');
  const list = () => chosen.replaceChildren(...[...files.files].map(f => {
    const item = document.createElement('li');
    item.textContent = f.name + ' · ' + (f.size < 1048576 ? Math.ceil(f.size / 1024) + ' KB' : (f.size / 1048576).toFixed(1) + ' MB');
    return item;
  }));
  files.addEventListener('change', list);
  for (const type of ['dragenter', 'dragover']) addEventListener(type, e => {
    if (![...e.dataTransfer.types].includes('Files')) return;
    e.preventDefault();
    e.dataTransfer.dropEffect = 'copy';
    drop.classList.add('over');
  });
  addEventListener('dragleave', e => { if (!e.relatedTarget) drop.classList.remove('over'); });
  addEventListener('drop', e => {
    if (!e.dataTransfer.files.length) return;
    e.preventDefault();
    drop.classList.remove('over');
    files.files = e.dataTransfer.files;
    list();
  });
  upload.addEventListener('submit', e => {
    e.preventDefault();
    byId('error').textContent = '';
    show(0, upload.dataset.working);
    send(upload, new FormData(upload), upload.dataset.working);
  });
}

const confirmation = byId('confirm');
if (confirmation) {
  confirmation.addEventListener('submit', e => {
    e.preventDefault();
    byId('error').textContent = '';
    show(null, confirmation.dataset.sending);
    const request = send(confirmation, new FormData(confirmation));
    const ask = async () => {
      if (request.readyState === XMLHttpRequest.DONE) return;
      try {
        const p = await (await fetch(location.pathname + '/progress')).json();
        if (p.total) show(100 * p.done / p.total, `${confirmation.dataset.sending} ${p.file} ${p.done} / ${p.total}`);
      } catch { /* the form's own answer says what is wrong */ }
      setTimeout(ask, 1000);
    };
    setTimeout(ask, 1000);
  });
}
