// The days beside the ladder follow what is being written: the server works them out, nothing is kept.
(() => {
  const form = document.querySelector("form[data-look]");
  const beside = form && form.querySelector("[data-beside]");
  if (!beside) return;
  let pending = 0, asked = 0;
  const look = async () => {
    const mine = ++asked, body = new FormData(form);
    body.set("look", "live");
    try {
      const response = await fetch(location.href, { method: "POST", body });
      if (!response.ok || mine !== asked) return;
      const told = await response.json();
      form.querySelectorAll("[data-line]").forEach((line, n) => {
        if (told.cards[n] !== undefined && line.innerHTML !== told.cards[n]) line.innerHTML = told.cards[n];
      });
      if (beside.innerHTML !== told.beside) beside.innerHTML = told.beside;
    } catch { /* the button «Show days» does the same */ }
  };
  form.addEventListener("input", () => { clearTimeout(pending); pending = setTimeout(look, 300); });
  // Enter in a field shows the days; a version is made by its own button only.
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches("input:not([type=submit])")) return;
    event.preventDefault();
    look();
  });
})();
