// What the live desk does beyond links and forms: it says what is new, and nothing moves before somebody presses.
// Everything works without it, by loading pages.
(() => {
  "use strict";

  const live = document.getElementById("live");
  if (!live) return;
  const EVERY_MS = 1000;
  const HIDDEN_MS = 15000;
  const $ = (id) => document.getElementById(id);
  const more = $("live-more");
  const said = $("live-said");
  const rows = $("live-rows");
  const none = $("live-none");
  const token = () => JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
  const at = (url, asked) => `${url}?${new URLSearchParams(asked)}`;

  // How many are new, and how those shown stand now: numbers change in their place, rows come on a press

  let timer = 0;
  let isAsking = false;

  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, document.hidden ? HIDDEN_MS : EVERY_MS);
  };

  async function ask() {
    if (isAsking) return;
    isAsking = true;
    try {
      const answer = await fetch(at(live.dataset.news, { show: live.dataset.show, after: live.dataset.after, since: live.dataset.token }));
      if (!answer.ok) throw new Error(answer.status);
      take(await answer.json());
      if (said.textContent === live.dataset.saidGone) said.textContent = "";
    } catch {
      said.textContent = live.dataset.saidGone;
    } finally {
      isAsking = false;
      later();
    }
  }

  function take(news) {
    live.dataset.token = news.token;
    $("live-n").textContent = news.n_comments.toLocaleString(document.documentElement.lang || undefined);
    more.hidden = !news.n_new;
    if (news.n_new) more.textContent = news.new;
    for (const one of news.changed) {
      const row = $(`bunch-${one.id}`);
      if (!row) continue;
      const n = row.querySelector("[data-n]");
      n.lastChild.textContent = ` × ${one.n}`;
      n.hidden = one.n === 1;
      // A colleague dealt with it: it stays where it is, and says so by being paler.
      row.classList.toggle("is-done", one.state !== row.dataset.state);
    }
  }

  more.addEventListener("click", async () => {
    more.disabled = true;
    try {
      const answer = await fetch(at(live.dataset.rows, { show: live.dataset.show, after: live.dataset.after }));
      if (!answer.ok) throw new Error(answer.status);
      const made = document.createElement("template");
      made.innerHTML = await answer.text();
      const fresh = [...made.content.children];
      for (const row of fresh) live.dataset.after = String(Math.max(Number(live.dataset.after), Number(row.dataset.id)));
      const first = [...rows.children].find((row) => !row.classList.contains("is-pinned")) || null;
      for (const row of fresh) if (!$(row.id)) rows.insertBefore(row, first);
      none.hidden = rows.children.length > 0;
      more.hidden = true;
      fresh[0]?.scrollIntoView({ block: "nearest" });
    } catch {
      said.textContent = live.dataset.saidGone;
    } finally {
      more.disabled = false;
      later();
    }
  });

  // One press, one verb; what was typed stays when it does not work

  rows.addEventListener("submit", async (event) => {
    const form = event.target.closest("[data-act]");
    if (!form) return;
    event.preventDefault();
    const row = form.closest("[data-row]");
    const wrong = row.querySelector("[data-wrong]");
    const values = new URLSearchParams(new FormData(form, event.submitter));
    for (const button of form.querySelectorAll("button")) button.disabled = true;
    try {
      const answer = await fetch(form.action, { method: "POST", body: values, headers: { "X-CSRFToken": token(), "X-Requested-With": "fetch" } });
      const text = await answer.text();
      if (answer.ok) {
        const made = document.createElement("template");
        made.innerHTML = text;
        const fresh = made.content.firstElementChild;
        row.replaceWith(fresh);
        const isGone = fresh.dataset.state !== "open" && fresh.dataset.state !== "waiting";
        fresh.classList.toggle("is-done", isGone && live.dataset.show === "questions");
        (fresh.querySelector("summary, button") || fresh).focus?.({ preventScroll: true });
        return;
      }
      wrong.textContent = answer.headers.get("Content-Type")?.startsWith("text/plain") ? text : live.dataset.saidGone;
    } catch {
      wrong.textContent = live.dataset.saidGone;
    }
    wrong.hidden = false;
    for (const button of form.querySelectorAll("button")) button.disabled = false;
  });

  document.addEventListener("visibilitychange", () => (document.hidden ? later() : ask()));
  if (live.dataset.isFirst === "yes") later();
})();
