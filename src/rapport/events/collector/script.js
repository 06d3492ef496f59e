// Rapport's visitor script, served by the firm's own installation.
//
// Before somebody has chosen, nothing is written to their device and nothing that they do leaves it; what
// happened meanwhile is held in memory. Once they refuse, only the refusal is kept. Once they allow
// something, one entry in localStorage holds the choice, a random number, and what is not sent yet.
//
// Comments are lines of their own and no text spans lines: that is how script.py makes this file small.
(() => {
  const doc = document, win = window, nav = navigator, loc = location, me = doc.currentScript;
  if (!me || (win.rapport && win.rapport.version)) return;
  const key = me.dataset.key, base = me.src.replace(/\/r\.js.*/, ''), NAME = 'rapport';
  let config, state = {}, held = [], link, path, from, host, opener, busy, timer, wait = 1;

  const now = () => new Date().toISOString();
  const number = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, '0')).join('');
  const cut = (url) => (url = new URL(url)).origin + url.pathname;
  const all = (what, where) => [...(where || doc).querySelectorAll(what)];
  const allows = (purpose) => !!(state.allowed && state.allowed[purpose]);

  // Storage may be blocked, full, or emptied by another tab.
  const keep = () => {
    if (!state.asked) return;
    state.held = state.id ? held : undefined;
    try { localStorage.setItem(NAME, JSON.stringify(state)); } catch {}
  };
  const recall = () => {
    try { state = JSON.parse(localStorage.getItem(NAME)) || {}; } catch {}
    if (Date.now() - state.at > config.days * 864e5) {
      state = {};
      try { localStorage.removeItem(NAME); } catch {}
    }
    held = state.held || [];
  };

  // Sending. A message is dressed when it leaves: with the number where its use was allowed, without it not.
  const say = (type, event, properties, more) => {
    held.push({ type, event, messageId: number(), timestamp: now(), properties, ...more });
    held = held.slice(-100);
    keep();
    if (!busy && !timer) timer = setTimeout(send, 500);
  };
  const dress = (m) => {
    if (m.anonymousId || m.event == 'banner_answered') return m;
    if (state.id && (allows('analytics') || m.type == 'identify')) return { ...m, anonymousId: state.id, context: { consent: { categoryPreferences: state.allowed } } };
    return m.type == 'page' && config.count ? m : 0;
  };
  const send = (leaving) => {
    clearTimeout(timer);
    timer = 0;
    const undecided = !state.asked && config.purposes[0] && !config.gpc;
    if (!held.length || ((busy || undecided) && !leaving)) return;
    const sent = held.slice(0, 50), ids = sent.map((m) => m.messageId), batch = sent.map(dress).filter(Boolean);
    const done = () => { held = held.filter((m) => !ids.includes(m.messageId)); keep(); };
    if (!batch.length) return done();
    const body = JSON.stringify({ key, sentAt: now(), batch });
    if (leaving) {
      if (nav.onLine && nav.sendBeacon(base, body)) done();
      return;
    }
    const later = (s) => {
      wait = Math.min(wait * 2, 300);
      timer = setTimeout(send, 1e3 * Math.max(s || 0, wait) * (1 + Math.random() / 2));
    };
    busy = 1;
    fetch(base, { method: 'POST', body, credentials: 'omit', keepalive: true }).then((answer) => {
      busy = 0;
      if (answer.status == 429 || answer.status > 499) return later(+answer.headers.get('retry-after'));
      wait = 1;
      done();
      if (held.length) send();
      return answer.json().then((said) => said.forget && decide(() => 0, 1));
    }).catch(() => { busy = 0; later(); });
  };

  // What happens on the page.
  const view = () => {
    const hash = /^#[!/]/.test(loc.hash) ? loc.hash.split('?')[0] : '', here = loc.pathname + hash;
    if (path == here + loc.search) return;
    const query = new URLSearchParams(loc.search || loc.hash.split('?')[1]), before = doc.referrer && new URL(doc.referrer);
    const name = config.search.find((one) => query.get(one)), asked = name && query.get(name).slice(0, 200);
    const properties = { path: here };
    const put = (what, value) => { if (value) properties[what] = value; };
    if (before && !path) before.host == loc.host ? put('from', before.pathname) : put('referrer', cut(before));
    put('from', from);
    put('campaign', query.get('utm_campaign'));
    put('campaign_source', query.get('utm_source'));
    put('campaign_medium', query.get('utm_medium'));
    put('search', asked);
    path = here + loc.search;
    from = here;
    say('page', undefined, properties);
    // Frameworks set the title, the results and new places for content just after the address.
    setTimeout(() => {
      put('title', doc.title.slice(0, 200));
      if (asked) found(asked, (all('[data-rapport-results]')[0] || me).dataset.rapportResults);
      fill();
    }, 150);
  };
  const found = (query, n) => say('track', 'site_searched', { query, n_results: n === undefined || n === '' ? undefined : +n });
  const click = (e) => {
    const on = e.target.closest && e.target.closest('a[href],[data-rapport-click],[data-rapport-consent]');
    if (!on) return;
    const { rapportClick, rapportConsent } = on.dataset;
    if (rapportConsent !== undefined) {
      e.preventDefault();
      return ask(on);
    }
    const target = /^http/.test(on.href) ? cut(on.href) : undefined;
    if (rapportClick || on.download || (target && on.host != loc.host)) say('track', 'link_clicked', { path: from, name: rapportClick, target });
  };
  const submit = (e) => {
    const f = e.target, form = f.getAttribute('name') || f.id, values = {}, inputs = all('[name]', f);
    for (const one of inputs) if (one.dataset.rapportValue !== undefined && !/^(password|hidden|file)$/.test(one.type) && !/cc-/.test(one.autocomplete)) values[one.name] = one.value;
    say('track', 'form_sent', { path: from, form, fields: [...new Set(inputs.map((one) => one.name))], values: config.forms.includes(form) ? values : undefined });
  };

  // Places on the page.
  const fill = (again) => all('[data-rapport-slot]').forEach((on) => {
    const slot = config.slots[on.dataset.rapportSlot];
    if (!slot || (on.rapport && !again)) return;
    on.rapport = 1;
    on.textContent = slot.text || '';
    if (slot.href) on.replaceChildren(slot.kind == 'survey' ? make('iframe', { src: slot.href + (state.id ? '?visitor=' + state.id : ''), title: slot.text, width: '100%', height: 480 }) : make('a', { href: slot.href, textContent: slot.text }));
    if (slot.named && state.id && allows('personalisation')) fetch(config.web + '/c/slot', { method: 'POST', credentials: 'omit', body: JSON.stringify({ key, slot: on.dataset.rapportSlot, id: state.id, lang: config.lang }) }).then((answer) => answer.json()).then((said) => { if (said.text) on.textContent = said.text; }).catch(() => 0);
  });

  // The banner. It lies over the page and moves nothing; both answers are buttons of one kind.
  const make = (tag, props, ...kids) => {
    const made = Object.assign(doc.createElement(tag), props);
    made.append(...kids);
    return made;
  };
  const close = () => {
    if (host) host.remove();
    if (opener) opener.focus();
    host = opener = 0;
  };
  const ask = (by) => {
    close();
    opener = by;
    const t = config.texts, sheet = new CSSStyleSheet(), boxes = config.purposes.map(([purpose]) => make('input', { type: 'checkbox', checked: allows(purpose) }));
    const button = (textContent, choice) => make('button', { type: 'button', textContent, onclick: () => decide(choice) });
    const box = make('section', { role: 'dialog', ariaLabel: t.title, tabIndex: -1, lang: config.lang, dir: 'auto', onkeydown: (e) => { if (e.key == 'Escape') close(); } },
      make('h2', { textContent: t.title }), make('p', { textContent: t.body }),
      ...boxes.map((input, i) => make('label', {}, boxes[1] ? input : '', config.purposes[i][1])),
      make('div', {}, button(t.refuse, () => 0), button(t.accept, () => 1), ...(boxes[1] ? [button(t.save, (i) => boxes[i].checked)] : [])));
    sheet.replaceSync(':host{all:initial!important;position:fixed!important;inset:auto 0 0!important;z-index:99999999!important;font:16px/1.5 system-ui,sans-serif!important;color-scheme:light dark!important}section{box-sizing:border-box;max-width:60rem;max-height:90vh;overflow:auto;margin:0 auto;padding:1rem;color:CanvasText;background:Canvas;border:1px solid GrayText;outline-offset:-3px}h2{font-size:1.1rem;margin:0}p{margin:.25rem 0 .5rem}label{display:flex;gap:.5rem;padding:.25rem 0}input{width:1.25rem;height:1.25rem;margin:.1rem 0;flex:none}div{display:flex;flex-wrap:wrap;gap:.5rem;margin-top:.5rem}button{flex:1 1 9rem;min-height:2.75rem;font:inherit;color:inherit;background:Canvas;border:2px solid;border-radius:.4rem;cursor:pointer}:focus-visible{outline:3px solid Highlight}');
    host = make('rapport-banner');
    const root = host.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [sheet];
    root.append(box);
    doc.body.prepend(host);
    if (by) box.focus();
  };
  const decide = (choice, silently) => {
    const old = state.allowed || {}, allowed = {}, { asked, id } = state;
    config.purposes.forEach(([purpose], i) => { allowed[purpose] = !!choice(i); });
    const given = Object.values(allowed).filter(Boolean).length;
    state = { asked: config.version, at: Date.now(), allowed, id: given ? id || number() : undefined };
    if (!silently) {
      for (const [purpose, , wording] of config.purposes) {
        const event = allowed[purpose] ? 'granted' : old[purpose] ? 'withdrawn' : 'denied';
        if ((id || state.id) && (!id || allowed[purpose] != old[purpose] || asked != config.version)) say('track', 'consent_' + event, { purpose, wording, shown: loc.host + from }, { anonymousId: id || state.id });
      }
      say('track', 'banner_answered', { choice: given ? given < config.purposes.length ? 'partly' : 'accepted' : 'refused' });
    }
    if (link && given) say('identify', undefined, undefined, { token: link });
    held = held.filter(dress);
    link = 0;
    close();
    keep();
    send();
    fill(1);
  };

  // What a page may call.
  const commands = {
    track: (event, properties) => say('track', event, properties || {}),
    identify: (userId, proof) => say('identify', undefined, undefined, { userId: userId + '', proof }),
    search: found,
    page: () => { path = 0; view(); },
    consent: ask,
    allows,
  };
  const start = () => {
    const url = new URL(loc), token = url.searchParams.get('rp'), asked = (win.rapport && win.rapport.q) || [];
    recall();
    if (token) {
      // Out of the address at once: it would travel on in referrers, bookmarks and screenshots.
      url.searchParams.delete('rp');
      history.replaceState(history.state, '', url);
      if (state.id) say('identify', undefined, undefined, { token }); else link = token;
    }
    for (const name of ['pushState', 'replaceState']) {
      const before = history[name];
      history[name] = function (...given) { before.apply(this, given); view(); };
    }
    win.addEventListener('popstate', view);
    win.addEventListener('hashchange', view);
    win.addEventListener('online', () => send());
    win.addEventListener('pageshow', (e) => { if (e.persisted) commands.page(); });
    win.addEventListener('pagehide', () => send(1));
    doc.addEventListener('visibilitychange', () => { if (doc.visibilityState == 'hidden' && state.asked) send(1); });
    doc.addEventListener('click', click);
    doc.addEventListener('submit', submit);
    win.rapport = (name, ...given) => commands[name] && commands[name](...given);
    win.rapport.version = 1;
    fill();
    view();
    for (const given of asked) win.rapport(...given);
    if (config.purposes[0] && !config.gpc && state.asked != config.version) ask();
  };
  const load = () => fetch(base + '/config?' + new URLSearchParams({ key, lang: me.dataset.lang || doc.documentElement.lang || nav.language }), { credentials: 'omit' }).then((answer) => answer.ok && answer.json()).then((said) => {
    if (!said) return;
    config = said;
    config.gpc = said.gpc || nav.globalPrivacyControl || nav.doNotTrack == 1;
    config.web = me.dataset.web || said.web;
    if (doc.readyState == 'loading') doc.addEventListener('DOMContentLoaded', start); else start();
  }).catch(() => setTimeout(load, 1e3 * (wait *= 2)));
  doc.prerendering ? doc.addEventListener('prerenderingchange', load) : load();
})();
