// Two comforts for the client's page, which works without them: copying a number, and telling that a person looked.
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
