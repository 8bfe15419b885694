// In the head, before the first paint: dark or light by attribute. The system's wish holds until a person chooses.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  // The settings site keeps its choice under the same name, where «auto» means the system's.
  const chosen = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const apply = () => {
    const choice = chosen();
    root.dataset.bsTheme = choice === "dark" || choice === "light" ? choice : system.matches ? "dark" : "light";
  };

  root.classList.add("js");
  apply();
  system.addEventListener("change", apply);

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-switch]")) return;
    const next = root.dataset.bsTheme === "dark" ? "light" : "dark";
    try { localStorage.setItem("theme", next); } catch { /* private window: holds for this page only */ }
    root.dataset.bsTheme = next;
    document.dispatchEvent(new Event("themechange"));
  });
})();
