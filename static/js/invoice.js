// The totals and the due date follow what is being written: the server works them out, nothing is kept.
(() => {
  const form = document.querySelector("form[data-look]");
  const place = form && form.querySelector("[data-totals]");
  if (!place) return;
  let pending = 0, asked = 0;

  const look = async () => {
    const mine = ++asked;
    try {
      const response = await fetch(form.dataset.look, { method: "POST", body: new FormData(form) });
      if (response.ok && mine === asked) place.innerHTML = await response.text();
    } catch { /* the button «Show» does the same */ }
  };
  form.addEventListener("input", () => { clearTimeout(pending); pending = setTimeout(look, 350); });
  look();
})();
