// What the staff's pages can do beyond plain links and forms. All of it is switched on by data attributes (docs/screens.md).
(() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const visible = (element) => element.getClientRects().length > 0;

  // ── Off-canvas menu ──────────────────────────────────────────────────
  const showMenu = (open) => {
    const button = one("[data-menu]");
    if (!button) return;
    document.body.classList.toggle("menu-open", open);
    button.setAttribute("aria-expanded", String(open));
    if (open) one(".rail a").focus();
  };

  // ── Disclosure: a button opens the form it names ─────────────────────
  const toggle = (button) => {
    const target = document.getElementById(button.getAttribute("aria-controls"));
    const open = target.hidden;
    target.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    if (open) (one("input:checked", target) || one("input:not([type=hidden]), select, textarea", target)).focus();
    else button.focus();
  };

  // ── Parts of a form that belong to one answer: data-when="outcome:promised partial" ──
  const showWhen = (form) => all("[data-when]", form).forEach((part) => {
    const [name, values] = part.dataset.when.split(":");
    const field = one(`[name="${name}"]:checked`, form) || one(`select[name="${name}"]`, form);
    part.hidden = !field || !values.split(" ").includes(field.value);
  });

  // ── Selection and the bulk bar ───────────────────────────────────────
  const countSelection = (form) => {
    const boxes = all("[data-select]", form);
    const count = boxes.filter((box) => box.checked).length;
    const whole = one("[data-check-all]", form);
    if (whole) { whole.checked = count > 0 && count === boxes.length; whole.indeterminate = count > 0 && count < boxes.length; }
    all("[data-bulk-bar]", form).forEach((bar) => { bar.hidden = count === 0; });
    all("[data-bulk-count]", form).forEach((place) => { place.textContent = count; });
  };

  // ── Progress of a background job ─────────────────────────────────────
  const STAYED = 10_000; // milliseconds after which whoever was about to leave is still here: a download, an answer «stay»
  const follow = async (job) => {
    let left = -STAYED;
    window.addEventListener("beforeunload", () => { left = performance.now(); });
    const leaving = () => performance.now() - left < STAYED;
    const bar = one("progress", job), words = one("[data-progress-words]", job), figures = one("[data-progress-figures]", job);
    for (let pause = 400; ; pause = Math.min(pause * 1.2, 2000)) {
      let answer;
      try {
        const response = await fetch(job.dataset.progress, { headers: { Accept: "application/json" } });
        if (!response.ok) throw new Error(response.statusText);
        answer = await response.json();
      } catch {
        words.textContent = job.dataset.lost;
        pause = 2000;
      }
      if (answer) {
        if (answer.total) { bar.max = answer.total; bar.value = answer.done; } else bar.removeAttribute("value");
        words.textContent = answer.message;
        figures.textContent = answer.total ? `${answer.done.toLocaleString()} / ${answer.total.toLocaleString()}` : "";
        if (answer.state === "failed") { job.classList.add("bad"); return; }
        if (answer.state === "done" && !leaving()) { location.assign(answer.next || location.href); return; }
      }
      await new Promise((resolve) => { setTimeout(resolve, pause); });
    }
  };

  // ── The short notice after a success goes by itself, unless somebody is at it ──
  const vanish = (notice) => {
    let left = 10;
    const tick = setInterval(() => {
      if (notice.matches(":hover, :focus-within")) return;
      left -= 1;
      if (left <= 0) { clearInterval(tick); notice.remove(); }
    }, 1000);
  };

  // ── Keyboard ─────────────────────────────────────────────────────────
  const rows = () => all("[data-row]").filter(visible);
  const currentRow = () => document.activeElement.closest("[data-row]");
  const step = (by) => {
    const list = rows();
    if (!list.length) return;
    const at = list.indexOf(currentRow());
    const row = list[at < 0 ? (by > 0 ? 0 : list.length - 1) : Math.min(Math.max(at + by, 0), list.length - 1)];
    row.tabIndex = -1;
    row.focus();
    row.scrollIntoView({ block: "nearest" });
  };
  const press = (key) => {
    const inRow = currentRow() && one(`[data-key="${key}"]`, currentRow());
    const target = inRow || all(`[data-key="${key}"]`).filter(visible)[0];
    if (target) target.click();
    return Boolean(target);
  };
  let going = 0;

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const form = event.target.closest("form");
      if (form && form.getAttribute("method") === "post") { event.preventDefault(); form.requestSubmit(one("[data-save]", form)); }
      return;
    }
    if (event.key === "Escape") {
      if (document.body.classList.contains("menu-open")) { showMenu(false); one("[data-menu]").focus(); }
      all("details.menu[open]").forEach((menu) => { menu.open = false; one("summary", menu).focus(); });
      if (typing && typing.matches("[type=search]")) typing.blur();
      return;
    }
    if (typing || event.ctrlKey || event.metaKey || event.altKey || one("dialog[open]")) return;
    const key = event.key;
    const taken = () => {
      if (Date.now() - going < 1200) {
        going = 0;
        const link = one(`[data-go="${CSS.escape(key)}"]`);
        if (link) link.click();
        return Boolean(link);
      }
      if (key === "/") { const field = one("[data-search]"); if (field) field.focus(); return Boolean(field); }
      if (key === "?") { const sheet = one("[data-sheet]"); all("[data-where-selectable]").forEach((part) => { part.hidden = !one("[data-select]"); }); if (sheet) sheet.showModal(); return Boolean(sheet); }
      if (key === "g") { going = Date.now(); return true; }
      if (key === "j" || key === "k") { step(key === "j" ? 1 : -1); return true; }
      if (key === "x") { const row = currentRow(), box = row && one("[data-select]", row); if (box) box.click(); return Boolean(box); }
      if (key === "Enter" && event.target.matches("[data-row]")) { const link = one("[data-open], a[href]", event.target); if (link) link.click(); return Boolean(link); }
      return /^[eln]$/.test(key) && press(key);
    };
    if (taken()) event.preventDefault();
  });

  // ── Clicks and changes, caught once for the whole page ───────────────
  document.addEventListener("click", (event) => {
    const at = (selector) => event.target.closest(selector);
    if (at("[data-menu]")) showMenu(!document.body.classList.contains("menu-open"));
    else if (document.body.classList.contains("menu-open") && !at(".rail")) showMenu(false);
    if (at("[data-toggle]")) { event.preventDefault(); toggle(at("[data-toggle]")); }
    if (at("[data-open-sheet]")) one("[data-sheet]").showModal();
    if (at("[data-close]")) (at("dialog") ? at("dialog").close() : at("[data-notice]").remove());
    if (at("[data-print]")) window.print();
    if (at("[data-copy]")) {
      const button = at("[data-copy]");
      navigator.clipboard.writeText(button.dataset.copy).then(() => { one("[data-said]").textContent = button.dataset.copied || ""; });
    }
    all("details.menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });
  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (!form) return;
    if (event.target.matches("[data-check-all]")) all("[data-select]", form).forEach((box) => { box.checked = event.target.checked; });
    if (event.target.matches("[data-check-all], [data-select]")) countSelection(form);
    if (event.target.matches("[data-submit]")) form.requestSubmit();
    showWhen(form);
  });
  // A form sent twice by an impatient hand: the second click does nothing.
  document.addEventListener("submit", (event) => {
    if (event.target.getAttribute("method") !== "post") return;
    if (event.target.dataset.sent) event.preventDefault();
    else event.target.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => all("form[data-sent]").forEach((form) => { delete form.dataset.sent; }));

  all("form").forEach(showWhen);
  all("[data-bulk]").forEach(countSelection);
  all("[data-progress]").forEach(follow);
  all("[data-notice]").forEach(vanish);
  const summary = one("[data-errors]");
  if (summary) summary.focus();
})();
