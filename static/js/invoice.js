// The totals and the due date follow what is being written: the server works them out, nothing is kept.
(() => {
  const form = document.querySelector("form[data-look]");
  const place = form && form.querySelector("[data-totals]");
  if (!place) return;
  let pending = 0, asked = 0;
  const own = new Set();  // tax fields somebody set by hand: a proposal leaves them alone

  // A line begun here takes the tax that is proposed for the client, however fast it was written: the answer may come
  // after the words. What stood on the page when it opened keeps its tax.
  const kept = new Set([...form.querySelectorAll("[data-line]")].filter(
    (line) => ["description", "unit_price"].some((name) => line.querySelector(`[name$="-${name}"]`).value)));
  const propose = () => {
    const told = place.querySelector("[data-tax-category]");
    let changed = false;
    if (!told) return changed;
    form.querySelectorAll("[data-line]").forEach((line) => {
      const field = (name) => line.querySelector(`[name$="-${name}"]`);
      const percent = field("tax_percent"), category = field("tax_category");
      if (kept.has(line) || own.has(percent) || own.has(category)) return;
      const before = percent.value + category.value;
      percent.value = told.dataset.taxPercent;
      if (category.value !== told.dataset.taxCategory) {
        category.value = told.dataset.taxCategory;
        category.dispatchEvent(new Event("change", { bubbles: true }));
      }
      if (before !== percent.value + category.value && field("unit_price").value) changed = true;
    });
    return changed;
  };
  const look = async () => {
    const mine = ++asked;
    try {
      const response = await fetch(form.dataset.look, { method: "POST", body: new FormData(form) });
      if (response.ok && mine === asked) { place.innerHTML = await response.text(); if (propose()) look(); }
    } catch { /* the button «Show» does the same */ }
  };
  form.addEventListener("input", (event) => {
    if (event.isTrusted && /-tax_(percent|category)$/.test(event.target.name || "")) own.add(event.target);
    clearTimeout(pending);
    pending = setTimeout(look, event.target.name === "client" ? 0 : 350);
  });
  look();
})();
