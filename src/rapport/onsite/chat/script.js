// Rapport's chat, served by the firm's own installation; it loads nothing else.
//
// Until the visitor sends a first line, nothing is written to their device and nothing names them. Then one
// entry holds a secret that opens this chat alone, and what is not sent yet; where the browser asks not to be
// tracked (Global Privacy Control), it lasts no longer than the tab.
//
// Comments are lines of their own and no text spans lines: that is how script.py makes this file small.
(() => {
  const doc = document, win = window, nav = navigator, me = doc.currentScript;
  if (!me || win.rapportChat) return;
  const key = me.dataset.key, base = me.src.replace(/\/chat\.js.*/, '') + '/chat/', NAME = 'rapport-chat';
  const isPrivate = nav.globalPrivacyControl || nav.doNotTrack == 1;
  const shown = new Set();
  let config, words, state = {}, upto = 0, timer, busy, wait = 1, opened, unread = 0, at;

  const number = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, '0')).join('');
  const store = () => isPrivate ? win.sessionStorage : win.localStorage;
  const keep = () => { try { store().setItem(NAME, JSON.stringify(state)); } catch {} };
  const recall = () => { try { state = JSON.parse(store().getItem(NAME)) || {}; } catch {} };
  const visitor = () => {
    // The visitor script's number, where that script runs, its owner allowed it, and no signal forbids it.
    try {
      const kept = !isPrivate && JSON.parse(localStorage.getItem('rapport'));
      return (kept && kept.allowed && kept.allowed.analytics && kept.id) || '';
    } catch { return ''; }
  };
  const make = (tag, props, ...kids) => {
    const made = Object.assign(doc.createElement(tag), props);
    made.append(...kids);
    return made;
  };
  const ask = (what, body) => fetch(base + what, { method: 'POST', credentials: 'omit', body: JSON.stringify({ key, token: state.token, ...body }) });
  const time = (iso) => {
    const then = new Date(iso), options = { hour: 'numeric', minute: '2-digit' };
    if (then.toDateString() != new Date().toDateString()) Object.assign(options, { weekday: 'short', day: 'numeric', month: 'short' });
    return then.toLocaleString(config.lang, options);
  };

  // The window.
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(':host{all:initial!important;position:fixed!important;inset:auto 1rem 1rem auto!important;z-index:99999998!important;font:16px/1.45 system-ui,sans-serif!important;color-scheme:light dark!important}*{box-sizing:border-box;font:inherit}button{min-height:2.75rem;padding:0 1rem;color:inherit;background:Canvas;border:1px solid;border-radius:.4rem;cursor:pointer}button.main{color:Canvas;background:CanvasText;border-color:CanvasText;border-radius:2rem;box-shadow:0 2px 12px #0005}:focus-visible{outline:3px solid Highlight;outline-offset:2px}section{display:flex;flex-direction:column;width:min(24rem,calc(100vw - 2rem));height:min(34rem,calc(100vh - 2rem));color:CanvasText;background:Canvas;border:1px solid GrayText;border-radius:.6rem;box-shadow:0 4px 24px #0005;overflow:hidden}[hidden]{display:none!important}header{display:flex;justify-content:space-between;align-items:center;gap:.5rem;padding:.5rem .5rem .5rem 1rem;border-bottom:1px solid GrayText}h2{margin:0;font-weight:600}p{margin:0;font-size:.875rem}.log{flex:1;overflow-y:auto;padding:1rem;display:flex;flex-direction:column;gap:.5rem;list-style:none;margin:0}.log li{max-width:85%;padding:.5rem .75rem;border-radius:.6rem;border:1px solid GrayText;white-space:pre-wrap;overflow-wrap:anywhere}.log .mine{align-self:flex-end;color:Canvas;background:CanvasText;border-color:CanvasText}.log small{display:block;font-size:.75rem;margin-top:.125rem}form{display:flex;flex-wrap:wrap;gap:.5rem;padding:.5rem 1rem}label{flex-basis:100%;font-size:.875rem}textarea,input{flex:1 1 10rem;min-width:0;padding:.5rem;color:inherit;background:Canvas;border:1px solid GrayText;border-radius:.4rem}textarea{height:4rem;resize:vertical}.note{padding:.25rem 1rem}.fine{padding:0 1rem .75rem;font-size:.75rem}');
  const build = () => {
    const on = (event, what) => ({ ['on' + event]: what });
    at = {
      host: make('rapport-chat', { lang: config.lang, dir: 'auto' }),
      open: make('button', { type: 'button', className: 'main', textContent: words.open, ariaExpanded: 'false', ...on('click', () => show(1)) }),
      log: make('ol', { className: 'log', role: 'log', ariaLive: 'polite', tabIndex: 0, ariaLabel: words.open }),
      note: make('p', { className: 'note', role: 'status' }),
      text: make('textarea', { id: 't', maxLength: 4000, dir: 'auto', ...on('keydown', (e) => { if (e.key == 'Enter' && !e.shiftKey && !e.isComposing) { e.preventDefault(); write(); } }) }),
      mail: make('input', { id: 'm', type: 'email', autocomplete: 'email' }),
    };
    at.mailing = make('form', { hidden: true, noValidate: true, ...on('submit', leave) }, make('label', { htmlFor: 'm' }, words.mail_ask), at.mail, make('button', { textContent: words.mail_keep }));
    at.mail.ariaLabel = words.mail;
    at.box = make('section', { role: 'dialog', ariaLabel: words.open, hidden: true, ...on('keydown', (e) => { if (e.key == 'Escape') show(0); }) },
      make('header', {}, make('h2', { textContent: config.firm }), make('button', { type: 'button', textContent: '×', ariaLabel: words.close, title: words.close, ...on('click', () => show(0)) })),
      at.log, at.note, at.mailing,
      make('form', on('submit', (e) => { e.preventDefault(); write(); }), make('label', { htmlFor: 't', textContent: words.write }), at.text, make('button', { textContent: words.send })),
      make('p', { className: 'fine', textContent: words.privacy }));
    const root = at.host.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [sheet];
    root.append(at.open, at.box);
    at.log.append(make('li', { textContent: words.greeting }));
    doc.body.append(at.host);
  };
  const show = (is) => {
    opened = is;
    unread = 0;
    at.box.hidden = !is;
    at.open.hidden = !!is;
    at.open.ariaExpanded = is ? 'true' : 'false';
    at.open.textContent = words.open;
    (is ? at.text : at.open).focus();
    at.log.scrollTop = at.log.scrollHeight;
    stand();
    if (is && !state.token) fresh();
    poll();
  };
  const put = (line, note) => {
    const id = line.ours ? '=' + line.id : line.key;
    let item = [...at.log.children].find((one) => one.dataset.id == id);
    if (!item) {
      item = make('li', { className: line.ours ? '' : 'mine', dir: 'auto' }, line.text, make('small'));
      item.dataset.id = id;
      at.log.append(item);
      at.log.scrollTop = at.log.scrollHeight;
      if (line.ours && !opened && !shown.has(id)) at.open.textContent = words.open + ' (' + (++unread) + ')';
    }
    shown.add(id);
    item.lastChild.textContent = note || (line.at ? time(line.at) : '');
  };
  const stand = (problem) => {
    const left = state.mail ? words.mail_kept.replace('{mail}', state.mail) : '';
    at.note.textContent = problem || [words[config.state].replace('{at}', time(config.by)), left].filter(Boolean).join(' ');
    at.mailing.hidden = !state.token || !!state.mail || config.state == 'here';
  };

  // Writing: kept first, then sent until the server has it; the same name makes a second time harmless.
  const write = () => {
    const text = at.text.value.trim();
    if (!text) return;
    if (!state.token) state = { token: number(), held: [] };
    const line = { key: number(), text, page: location.origin + location.pathname };
    state.held.push(line);
    keep();
    at.text.value = '';
    put(line, words.waiting);
    send();
  };
  const send = () => {
    const line = (state.held || [])[0];
    if (busy || !line) return poll();
    busy = 1;
    clearTimeout(timer);
    ask('say', { id: line.key, text: line.text, page: line.page, lang: config.lang, visitor: visitor() }).then((answer) => {
      busy = 0;
      if (answer.status == 429 || answer.status > 499) return again(+answer.headers.get('retry-after'), answer.status == 429 && words.often);
      state.held.shift();
      wait = 1;
      keep();
      if (answer.ok) answer.json().then((said) => put({ ...line, at: said.at })); else put(line, words.refused);
      stand();
      send();
    }).catch(() => { busy = 0; again(0, words.offline); });
  };
  const again = (s, problem) => {
    if (problem) stand(problem);
    wait = Math.min(wait * 2, 60);
    clearTimeout(timer);
    timer = setTimeout(send, 1e3 * Math.max(s || 0, wait) * (1 + Math.random() / 2));
  };
  const poll = () => {
    clearTimeout(timer);
    if (!state.token || busy) return;
    // Quickly while it is looked at, slowly beside it, and not at all where nobody can see it.
    if (!doc.hidden) timer = setTimeout(hear, opened ? 3e3 : 15e3);
  };
  const hear = () => {
    if (state.held && state.held[0]) return send();
    busy = 1;
    ask('hear', { after: upto }).then((answer) => {
      busy = 0;
      if (!answer.ok) return again(+answer.headers.get('retry-after'));
      wait = 1;
      return answer.json().then((said) => {
        for (const line of said.lines) { put(line); upto = Math.max(upto, line.id); }
        config.state = said.state;
        config.by = said.by;
        stand();
        if (said.lines[99]) hear(); else poll();
      });
    }).catch(() => { busy = 0; again(0, words.offline); });
  };
  const leave = (e) => {
    e.preventDefault();
    ask('mail', { mail: at.mail.value }).then((answer) => {
      if (!answer.ok) { at.mail.focus(); return stand(words.mail_wrong); }
      return answer.json().then((said) => { state.mail = said.mail; keep(); stand(); at.text.focus(); });
    }).catch(() => stand(words.offline));
  };

  const asked = () => base + 'config?' + new URLSearchParams({ key, lang: me.dataset.lang || doc.documentElement.lang || nav.language });
  const fresh = () => fetch(asked(), { credentials: 'omit' }).then((answer) => answer.ok && answer.json()).then((said) => { if (said) { config = said; stand(); } }).catch(() => 0);
  const start = () => {
    recall();
    build();
    win.rapportChat = { open: () => show(1), close: () => show(0) };
    for (const line of state.held || []) put(line, words.waiting);
    stand();
    if (state.token) hear();
    win.addEventListener('online', () => { wait = 1; if (state.token && !busy) hear(); });
    doc.addEventListener('visibilitychange', () => { if (state.token && !busy && !doc.hidden) hear(); });
  };
  const load = () => fetch(asked(), { credentials: 'omit' }).then((answer) => answer.ok && answer.json()).then((said) => {
    if (!said) return;
    config = said;
    words = said.words;
    if (doc.readyState == 'loading') doc.addEventListener('DOMContentLoaded', start); else start();
  }).catch(() => setTimeout(load, 1e3 * (wait = Math.min(wait * 2, 300))));
  load();
})();
