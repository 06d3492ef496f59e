// What the inbox does beyond links and forms: it stays up to date, keeps drafts, completes what is typed.
// Everything works without it, by loading pages.
(() => {
  "use strict";

  const $ = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const inbox = $("#inbox");
  if (!inbox) return;
  const EVERY_MS = 4000;
  const HIDDEN_MS = 30000;
  const SAVE_MS = 900;
  const RENEWED_MAX = 200; // of a list in which more was asked for, the server gives no more at once

  const token = () => JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
  const post = (url, values) =>
    fetch(url, { method: "POST", body: new URLSearchParams(values), headers: { "X-CSRFToken": token(), "X-Requested-With": "fetch" } });
  const say = (text) => { $("#inbox-said").textContent = text; };
  const open = () => $("#conversation");
  const text = () => $("#composer-text");

  // Replace a part of the page, and leave focus, the place scrolled to and an open menu as they were

  function renew(old, html) {
    if (!old) return false;
    const held = old.contains(document.activeElement) ? document.activeElement : null;
    // What was pressed there is still on its way, and its answer has to find where it came from.
    if (old.matches(".htmx-request") || $(".htmx-request", old)) return false;
    if ($("details[open] .sheet", old) || (held && held.matches("input, textarea, select"))) return false;
    const made = document.createElement("template");
    made.innerHTML = html;
    const fresh = made.content.firstElementChild;
    if (!fresh) return false;
    const top = old.scrollTop;
    const was = held && (held.id || held.closest("[data-id]")?.dataset.id);
    old.replaceWith(fresh);
    fresh.scrollTop = top;
    window.htmx.process(fresh);
    if (held) {
      const again = held.id ? document.getElementById(held.id) : was && $(`[data-id="${CSS.escape(was)}"] a`, fresh);
      (again || fresh).focus?.({ preventScroll: true });
    }
    return true;
  }

  // Live: what changed since the last answer, asked for every few seconds; no answer holds anything up

  let timer = 0;
  let isAsking = false;
  let watched = "";
  let writingUntil = 0;

  function later() {
    clearTimeout(timer);
    timer = setTimeout(ask, document.hidden ? HIDDEN_MS : EVERY_MS);
  }

  async function ask() {
    if (isAsking) return;
    isAsking = true;
    const conversation = open();
    const asked = {
      since: inbox.dataset.token,
      view: inbox.dataset.view,
      n: String(all("#inbox-rows [data-row]").length),
      first: $("#thread [data-message]")?.dataset.message || "",
      id: conversation?.dataset.id || "",
      last: conversation?.dataset.last || "",
      version: conversation?.dataset.version || "",
      watched,
      writing: Date.now() < writingUntil ? "1" : "",
      seen: conversation && !document.hidden ? "1" : "",
    };
    try {
      const answer = await post(inbox.dataset.live, asked);
      if (answer.status === 200) take(await answer.json(), asked.id);
      if (answer.ok && inbox.dataset.isOff) {
        delete inbox.dataset.isOff;
        say("");
      }
    } catch {
      if (!inbox.dataset.isOff) say(inbox.dataset.saidGone);
      inbox.dataset.isOff = "1";
    } finally {
      isAsking = false;
      later();
    }
  }

  function take(news, id) {
    let isTaken = !news.views || renew($("#inbox-views"), news.views);
    if (news.rows && !$("#inbox-rows[data-found]")) isTaken = renewRows(news.rows) && isTaken;
    const conversation = open();
    if (conversation && conversation.dataset.id === id) {
      if (news.thread) {
        const thread = $("#thread");
        const wasAtEnd = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 80;
        const isRenewed = renew(thread, news.thread);
        isTaken = isRenewed && isTaken;
        if (isRenewed && wasAtEnd) toEnd();
        if (isRenewed && news.last !== conversation.dataset.last) {
          conversation.dataset.last = news.last;
          say(inbox.dataset.saidNew);
        }
      }
      // The version that the writer has seen is the composer's own: it does not move on by itself, so that
      // an answer written before somebody else's is caught when it is sent.
      if (news.recoveries) isTaken = renew($("#recoveries"), news.recoveries) && isTaken;
      if (news.head) {
        if (renew($("#conversation-head"), news.head)) conversation.dataset.version = news.version;
        else isTaken = false;
      }
      if (news.watched !== undefined) {
        watched = news.watched;
        $("#watching").textContent = news.watching;
      }
    }
    // What could not be put in, because somebody types there, is asked for again.
    if (isTaken) inbox.dataset.token = news.token;
  }

  // The chosen line stays chosen, and of a list that has grown long nothing is taken away.
  function renewRows(html) {
    const rows = all("#inbox-rows [data-row]");
    if (rows.length > RENEWED_MAX) {
      say(inbox.dataset.saidMoved);
      return true;
    }
    const chosen = $("#inbox-rows .is-on")?.dataset.id;
    if (!renew($("#inbox-rows"), html)) return false;
    const again = chosen && $(`#inbox-rows [data-id="${CSS.escape(chosen)}"]`);
    if (again) for (const row of all("#inbox-rows [data-row]")) row.classList.toggle("is-on", row === again);
    return true;
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? later() : ask()));

  // A conversation was opened, or comes back after something was done with it

  function toEnd() {
    const thread = $("#thread");
    if (!thread) return;
    const sought = $(".is-sought", thread);
    if (sought) sought.scrollIntoView({ block: "center" });
    else thread.scrollTop = thread.scrollHeight;
  }

  let done = "";
  let nextUp = "";
  let sent = ""; // what stood in the composer when something was pressed
  let since = null; // what was typed while the answer was on its way, and in which conversation
  document.addEventListener("htmx:beforeRequest", (event) => {
    const by = event.detail.requestConfig?.triggeringEvent?.submitter;
    if (event.detail.target?.id !== "pane") return;
    done = by?.value || "";
    sent = text()?.value ?? "";
    const rows = all("#inbox-rows [data-row]");
    const at = rows.findIndex((row) => row.dataset.id === open()?.dataset.id);
    nextUp = at < 0 ? "" : (rows[at + 1] || rows[at - 1])?.dataset.id || "";
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    const where = event.target.id;
    if (where === "composer") text()?.focus();
    if (where === "composer" || where === "pane") completing();
    if (where !== "pane") return;
    watched = "";
    writingUntil = 0;
    isKept = true;
    // What was sent with the press is kept by the server, or gone for good.
    if (done) hold(open()?.dataset.id, null);
    else recall();
    if (since && since.id === open()?.dataset.id) {
      if (since.note && $("#note-text")) {
        $("#note-text").value = since.note;
        $("#note-box").open = true;
      }
      if (since.words !== null && text()) {
        text().value = since.words;
        isKept = false;
        save();
      }
    }
    since = null;
    inbox.classList.toggle("has-open", !!open());
    const id = open()?.dataset.id;
    for (const row of all("#inbox-rows [data-row]")) {
      const isHere = row.dataset.id === id;
      row.classList.toggle("is-on", isHere);
      const link = $("a", row);
      if (isHere) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    toEnd();
    const isOver = /^(resolve|answer_resolve)/.test(done) && !text(); // an answer that did not leave settles nothing
    if ((isOver || /^snooze/.test(done)) && nextUp) {
      // On to the next one: it is chosen, and Enter opens it.
      const row = $(`#inbox-rows [data-id="${CSS.escape(nextUp)}"]`);
      all("#inbox-rows .is-on").forEach((one) => one.classList.remove("is-on"));
      row?.classList.add("is-on");
      $("a", row || document.createElement("i"))?.focus();
    } else if (!/^(note|answer)/.test(done)) $("#conversation-title")?.focus({ preventScroll: true });
    else text()?.focus();
    done = "";
    ask();
  });

  // Opening a menu or the note by its key puts the focus into it

  document.addEventListener(
    "toggle",
    (event) => {
      const box = event.target;
      if (!box.open || !box.matches?.("details.drop, #note-box")) return;
      const first = box.id === "note-box" ? $("textarea", box) : $(".sheet button, .sheet a", box);
      first?.focus();
    },
    true,
  );
  document.addEventListener("keydown", (event) => {
    const sheet = event.target.closest?.("details.drop[open]");
    if (!sheet) return;
    const items = all(".sheet button, .sheet a", sheet);
    const at = items.indexOf(document.activeElement);
    if (event.key === "Escape") {
      sheet.open = false;
      $("summary", sheet).focus();
      event.stopPropagation();
    } else if (event.key === "ArrowDown") items[(at + 1) % items.length]?.focus();
    else if (event.key === "ArrowUp") items[(at - 1 + items.length) % items.length]?.focus();
    else return;
    event.preventDefault();
  });

  // Drafts: kept a moment after the last key; of two windows, neither wins by itself

  let saving = 0;
  let isKept = true;

  // What the server has not taken yet is held by the tab, so that neither a lost connection nor a reload loses it.
  const heldBy = (id) => `rapport-draft-${id}`;
  const hold = (id, words) => {
    try {
      if (words === null) sessionStorage.removeItem(heldBy(id));
      else sessionStorage.setItem(heldBy(id), words);
    } catch {
      // A tab that may hold nothing still has what the server keeps.
    }
  };

  function recall() {
    const id = open()?.dataset.id;
    let words = null;
    try {
      words = id && sessionStorage.getItem(heldBy(id));
    } catch {
      return;
    }
    if (words === null || !text() || text().value === words) return;
    text().value = words;
    isKept = false;
    save();
  }

  function state(words) {
    const shown = $("#composer-state");
    if (shown) shown.textContent = words;
  }

  async function save() {
    clearTimeout(saving);
    const box = $("#composer");
    const conversation = open();
    if (!box || !text() || isKept) return;
    const sent = text().value;
    const { id } = conversation.dataset;
    isKept = true;
    try {
      const answer = await post(box.dataset.draft, {
        text: sent,
        version: conversation.dataset.version,
        saved_no: $("#composer-saved").value,
      });
      if (answer.status === 409) return otherDraft(await answer.json());
      if (!answer.ok) throw new Error(String(answer.status));
      const said = await answer.json();
      if (isKept) hold(id, null);
      if ($("#composer") === box) {
        $("#composer-saved").value = said.saved_no;
        state(inbox.dataset.saidKept);
      }
    } catch {
      isKept = false;
      state(inbox.dataset.saidKeeping);
      saving = setTimeout(save, 5000);
    }
  }

  function otherDraft(said) {
    $("#other-draft")?.remove();
    const made = document.createElement("template");
    made.innerHTML = said.html;
    $("#composer").prepend(made.content);
    $("#composer-saved").value = said.saved_no;
  }

  document.addEventListener("click", (event) => {
    const taken = event.target.closest("[data-draft-take]");
    const kept = event.target.closest("[data-draft-keep]");
    if (!taken && !kept) return;
    if (taken) text().value = $("#other-draft-text").textContent;
    $("#other-draft").remove();
    isKept = false;
    text().focus();
    save();
  });

  document.addEventListener("input", (event) => {
    if (event.target.id !== "composer-text") return;
    writingUntil = Date.now() + 12000;
    isKept = false;
    hold(open().dataset.id, text().value);
    state("");
    if (!text().value.trim()) $("#composer-keys").value = ""; // own words stand on nothing that was proposed
    clearTimeout(saving);
    saving = setTimeout(save, SAVE_MS);
    complete();
  });
  window.addEventListener("pagehide", () => {
    if (isKept || !text() || !open()) return;
    const body = new URLSearchParams({
      text: text().value,
      version: open().dataset.version,
      saved_no: $("#composer-saved").value,
      csrfmiddlewaretoken: token(),
    });
    navigator.sendBeacon($("#composer").dataset.draft, body);
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.target.id !== "pane") return;
    if (!isKept && !done) save(); // the old composer goes; its words do not
    const note = done === "note" ? "" : $("#note-text")?.value || "";
    const words = done && text() && text().value !== sent ? text().value : null;
    since = { id: open()?.dataset.id, note, words };
  });

  // The composer says whether the words may leave; what is forbidden cannot be sent from here either

  const SENDS = '#composer-form button[value^="answer"]';
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id !== "composer-check") return;
    const isForbidden = !!$(".wrong", event.target);
    for (const send of all(SENDS)) send.setAttribute("aria-disabled", String(isForbidden));
  });
  document.addEventListener(
    "submit",
    (event) => {
      if (event.submitter?.matches(SENDS) && event.submitter.getAttribute("aria-disabled") === "true") {
        event.preventDefault();
        event.stopImmediatePropagation();
        $("#composer-check .wrong")?.scrollIntoView({ block: "nearest" });
        say($("#composer-check .wrong")?.textContent.trim() || "");
      }
    },
    true,
  );

  // Ctrl-Enter sends

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.id === "composer-text") {
      event.preventDefault();
      $("#composer-send")?.click();
    }
  });

  // Completion: a ready answer after a slash at the beginning of a line, a colleague after an @ in a note

  const ready = {}; // by address, which says the language
  let options = [];
  let chosen = 0;

  const field = () => (document.activeElement?.matches?.("#composer-text, #note-text") ? document.activeElement : null);

  async function readyAnswers() {
    const address = $("#composer").dataset.canned;
    if (!ready[address]) {
      const answer = await fetch(address, { headers: { "X-Requested-With": "fetch" } });
      if (!answer.ok) return [];
      ready[address] = (await answer.json()).answers;
    }
    return ready[address];
  }

  async function complete() {
    const at = field();
    const before = at ? at.value.slice(0, at.selectionStart) : "";
    const slash = at?.id === "composer-text" && /(?:^|\n)\/([\p{L}\p{N}_-]*)$/u.exec(before);
    const mention = at?.id === "note-text" && /(?:^|\s)@([\p{L}\p{N}.]*)$/u.exec(before);
    if (!slash && !mention) return completing();
    const asked = (slash || mention)[1].toLowerCase();
    const known = slash
      ? (await readyAnswers()).map((one) => ({ label: one.title, key: `/${one.short}`, text: one.text, find: `${one.short} ${one.title}` }))
      : JSON.parse($("#composer").dataset.colleagues).map(([name, handle]) => ({ label: name, key: "", text: `@${handle} `, find: `${name} ${handle}` }));
    const found = known.filter((one) => one.find.toLowerCase().split(/\s+/).some((word) => word.startsWith(asked))).slice(0, 8);
    options = found.map((one) => ({ ...one, from: before.length - asked.length - 1, to: before.length, at }));
    chosen = 0;
    show();
  }

  function completing() {
    options = [];
    show();
  }

  function show() {
    const list = $("#completes");
    if (!list) return;
    list.hidden = !options.length;
    list.replaceChildren(
      ...options.map((one, i) => {
        const item = document.createElement("li");
        item.id = `complete-${i}`;
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", String(i === chosen));
        item.append(one.label);
        if (one.key) item.append(Object.assign(document.createElement("kbd"), { textContent: one.key }));
        item.addEventListener("mousedown", (event) => {
          event.preventDefault();
          put(one);
        });
        return item;
      }),
    );
    const at = options[0]?.at;
    if (at) {
      at.after(list);
      at.setAttribute("aria-controls", "completes");
      at.setAttribute("aria-activedescendant", `complete-${chosen}`);
      list.children[chosen]?.scrollIntoView({ block: "nearest" });
    } else all("[aria-activedescendant]", $("#composer")).forEach((one) => one.removeAttribute("aria-activedescendant"));
  }

  function put(one) {
    one.at.setRangeText(one.text, one.from, one.to, "end");
    completing();
    one.at.dispatchEvent(new Event("input", { bubbles: true }));
  }

  document.addEventListener("input", (event) => {
    if (event.target.id === "note-text") complete();
  });
  document.addEventListener("keydown", (event) => {
    if (!options.length || !field()) return;
    if (event.key === "ArrowDown") chosen = (chosen + 1) % options.length;
    else if (event.key === "ArrowUp") chosen = (chosen - 1 + options.length) % options.length;
    else if (event.key === "Enter" || event.key === "Tab") {
      event.preventDefault();
      return put(options[chosen]);
    } else if (event.key === "Escape") {
      event.stopPropagation();
      return completing();
    } else return;
    event.preventDefault();
    show();
  });

  recall();
  toEnd();
  ask();
})();
