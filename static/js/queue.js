// The call queue: the sentence under a log form names the day until which reminders pause.
(() => {
  const lang = document.documentElement.lang;
  const written = (day) => day.toLocaleDateString(lang === "en" ? "en-GB" : lang, { day: "numeric", month: "long", timeZone: "UTC" });
  const words = (sentence) => {
    const day = document.getElementById(sentence.dataset.until).valueAsDate;
    if (!day) { sentence.textContent = sentence.dataset.otherwise; return; }
    day.setUTCDate(day.getUTCDate() + Number(sentence.dataset.grace));
    sentence.textContent = sentence.dataset.words.replace("{day}", written(day));
  };
  const all = (root) => root.querySelectorAll("[data-until]").forEach(words);
  all(document);
  document.addEventListener("input", (event) => { if (event.target.form) all(event.target.form); });
})();
