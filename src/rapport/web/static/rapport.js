// What the pages do beyond links and forms: keys, palette, confirm, theme, drawer, toasts.
// Everything works without it, only less quickly.
(() => {
  "use strict";

  const $ = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const isTyping = (element) =>
    element instanceof HTMLElement && (element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName));

  // Dialogs

  function open(id) {
    const dialog = document.getElementById(id);
    if (!dialog || dialog.open) return;
    all("details[data-menu][open]").forEach((menu) => menu.removeAttribute("open"));
    dialog.showModal();
    if (id === "palette") {
      const field = $("input", dialog);
      field.value = "";
      field.dispatchEvent(new Event("open"));
      field.focus();
    }
  }

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (!target) return;
    const opener = target.closest("[data-opens]");
    if (opener) open(opener.dataset.opens);
    if (target.closest("[data-dismiss]")) target.closest("[data-toast]").remove();
    if (target instanceof HTMLDialogElement) target.close(); // a click beside the dialog
    for (const menu of all("details[data-menu][open]")) if (!menu.contains(target)) menu.removeAttribute("open");
    const drawer = target.closest("[data-drawer]");
    if (drawer) {
      event.preventDefault();
      drive(drawer.dataset.drawer === "open");
    } else if (!target.closest("#rail")) drive(false);
  });

  // The rail as a drawer on narrow screens

  function drive(isOpen) {
    const rail = $("#rail");
    if (!rail || rail.classList.contains("is-open") === isOpen) return;
    rail.classList.toggle("is-open", isOpen);
    const menu = $('[data-drawer="open"]');
    menu.setAttribute("aria-expanded", String(isOpen));
    (isOpen ? $("a", rail) : menu).focus();
  }

  // The palette: arrows choose, Enter opens

  const options = () => all('#palette-found [role="option"]');

  function choose(index) {
    const found = options();
    if (!found.length) return;
    const at = (index + found.length) % found.length;
    found.forEach((option, i) => option.setAttribute("aria-selected", String(i === at)));
    found[at].scrollIntoView({ block: "nearest" });
    $("#palette-find").setAttribute("aria-activedescendant", found[at].id);
  }

  const chosen = () => options().findIndex((option) => option.getAttribute("aria-selected") === "true");

  $("#palette-find")?.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") choose(chosen() + 1);
    else if (event.key === "ArrowUp") choose(chosen() - 1);
    else if (event.key === "Enter") options()[chosen()]?.click();
    else return;
    event.preventDefault();
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id === "palette-found") choose(0);
  });

  // Rows of a list: J and K walk, Enter opens

  const rows = () => all("[data-row]");

  function walk(step) {
    const list = rows();
    if (!list.length) return;
    const now = list.findIndex((row) => row.classList.contains("is-on"));
    const next = now < 0 ? (step > 0 ? 0 : list.length - 1) : Math.min(list.length - 1, Math.max(0, now + step));
    list.forEach((row, i) => row.classList.toggle("is-on", i === next));
    const link = $("a[href]", list[next]);
    (link || list[next]).focus({ preventScroll: true });
    list[next].scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open("palette");
      return;
    }
    if (event.key === "Escape") {
      drive(false);
      all("details[data-menu][open]").forEach((menu) => menu.removeAttribute("open"));
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || $("dialog[open]")) return;
    if (document.body.dataset.noKeys !== undefined) return; // switched off under Settings
    const page = (key) => $(`[data-key="${key}"]`)?.click();
    const keys = {
      "/": () => ($("[data-search]") || $("[data-find]"))?.select(),
      "?": () => open("keys"),
      j: () => walk(1),
      k: () => walk(-1),
    };
    // Whatever a page puts a key on: next and previous page, and what a pair is decided with.
    if (/^[a-z]$/.test(event.key) && $(`[data-key="${event.key}"]`)) keys[event.key] = () => page(event.key);
    // Of the chosen line, a number presses the button of that number.
    const nth = /^[1-9]$/.test(event.key) && $(`[data-row].is-on [data-nth="${event.key}"]`);
    if (nth) keys[event.key] = () => nth.click();
    if (!(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });

  // Confirm: a form or button that says what it will do is asked about first

  document.addEventListener("submit", (event) => {
    const form = event.target;
    const asks = event.submitter?.dataset.confirm ? event.submitter : form;
    if (!asks.dataset.confirm || form.dataset.confirmed) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const dialog = $("#confirm");
    $("#confirm-title").textContent = asks.dataset.confirm;
    $("#confirm-text").textContent = asks.dataset.confirmText || "";
    $("#confirm-yes").textContent = asks.dataset.confirmYes || $("#confirm-yes").textContent;
    dialog.returnValue = "no";
    dialog.addEventListener(
      "close",
      () => {
        if (dialog.returnValue !== "yes") return;
        form.dataset.confirmed = "yes";
        form.requestSubmit(event.submitter);
        delete form.dataset.confirmed;
      },
      { once: true },
    );
    dialog.showModal();
  }, true);

  // A form is sent once, however often its button is pressed

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method === "dialog" || form.dataset.themeSwitch !== undefined) return;
    if (form.getAttribute("aria-busy") === "true") {
      event.preventDefault();
      return;
    }
    if (form.method === "post") form.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", () => all("[aria-busy]").forEach((form) => form.removeAttribute("aria-busy")));

  // Theme: at once, and kept

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.themeSwitch === undefined || !event.submitter) return;
    event.preventDefault();
    const theme = event.submitter.value;
    document.documentElement.dataset.theme = theme;
    all("button", form).forEach((b) => b.setAttribute("aria-pressed", String(b.value === theme)));
    const body = new FormData(form);
    body.set("theme", theme);
    fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" } });
  });

  // A list narrows as soon as one of its filters is changed

  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("form[data-auto]");
    if (form && event.target.matches("select, [type=checkbox], [type=radio], [type=date]")) form.requestSubmit();
  });

  // The reader's own zone, where a form would otherwise begin with UTC

  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  all('select[data-guess="zone"]').forEach((select) => {
    if (select.value === "UTC" && all("option", select).some((o) => o.value === zone)) select.value = zone;
  });

  // Said, then out of the way; what can be undone, and what failed, stays until it is dismissed

  const pass = (toast) => {
    if (!toast.matches(".error, .warning") && !$("form", toast)) setTimeout(() => toast.remove(), 8000);
  };
  all("[data-toast]").forEach(pass);

  // A fragment that never came is said, not left spinning

  const say = (text) => {
    const toast = document.createElement("div");
    toast.className = "toast error";
    toast.dataset.toast = "";
    toast.setAttribute("role", "alert");
    toast.textContent = text;
    $("#toasts")?.append(toast);
  };
  document.addEventListener("htmx:sendError", () => say(document.body.dataset.offline || ""));
})();
