// The totals and the due date follow what is being written: the server works them out, nothing is kept.
(() => {
  const form = document.querySelector("form[data-look]");
  const place = form && form.querySelector("[data-totals]");
  if (!place) return;
  let pending = 0, asked = 0;
  const own = new Set();  // tax fields somebody set by hand: a proposal leaves them alone

  // A line on which nothing stands yet takes the tax that is proposed for the client.
  const propose = () => {
    const told = place.querySelector("[data-tax-category]");
    if (!told) return;
    form.querySelectorAll("[data-line]").forEach((line) => {
      const field = (name) => line.querySelector(`[name$="-${name}"]`);
      const percent = field("tax_percent"), category = field("tax_category");
      if (field("description").value || field("unit_price").value || own.has(percent) || own.has(category)) return;
      percent.value = told.dataset.taxPercent;
      if (category.value !== told.dataset.taxCategory) {
        category.value = told.dataset.taxCategory;
        category.dispatchEvent(new Event("change", { bubbles: true }));
      }
    });
  };
  const look = async () => {
    const mine = ++asked;
    try {
      const response = await fetch(form.dataset.look, { method: "POST", body: new FormData(form) });
      if (response.ok && mine === asked) { place.innerHTML = await response.text(); propose(); }
    } catch { /* the button «Show» does the same */ }
  };
  form.addEventListener("input", (event) => {
    if (event.isTrusted && /-tax_(percent|category)$/.test(event.target.name || "")) own.add(event.target);
    clearTimeout(pending);
    pending = setTimeout(look, 350);
  });
  look();
})();
