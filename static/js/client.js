// Three comforts for the client's pages, which work without them: copying, a running sum, and telling that a person looked.
(() => {
  document.querySelectorAll("[data-copy]").forEach((button) => {
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      const said = document.querySelector("[data-said]");
      if (said) said.textContent = button.dataset.copied;
      button.classList.add("copied");
      setTimeout(() => button.classList.remove("copied"), 2000);
    });
  });

  // What is ticked on the statement, added up in minor units; what is charged is worked out by the server alone.
  document.querySelectorAll("[data-sum]").forEach((form) => {
    const { sum, digits } = form.dataset, button = form.querySelector("[data-label]");
    const money = new Intl.NumberFormat(document.documentElement.lang, { style: "currency", currency: sum });
    const add = () => {
      const ticked = [...form.querySelectorAll("[data-minor]:checked")];
      const minor = ticked.reduce((total, box) => total + Number(box.dataset.minor), 0);
      button.disabled = !ticked.length;
      button.textContent = button.dataset.label.replace("~", money.format(minor / 10 ** digits));
    };
    form.addEventListener("change", add);
    window.addEventListener("pageshow", add);
  });

  // A link scanner fetches the page; only a page that is really shown to somebody for a moment counts as opened.
  const { seen, csrf } = document.body.dataset;
  if (!seen) return;
  let told = false;
  const tell = () => {
    if (told || document.visibilityState !== "visible") return;
    setTimeout(() => {
      if (told || document.visibilityState !== "visible") return;
      told = true;
      fetch(seen, { method: "POST", headers: { "X-CSRFToken": csrf }, credentials: "same-origin", keepalive: true });
    }, 1500);
  };
  document.addEventListener("visibilitychange", tell);
  tell();
})();
