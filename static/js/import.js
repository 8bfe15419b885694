// Choosing the columns of a file: beside each choice stand the first values of that column.
(() => {
  const values = JSON.parse(document.getElementById("examples").textContent);
  document.addEventListener("change", (event) => {
    const place = document.querySelector(`[data-examples="${CSS.escape(event.target.name)}"]`);
    if (place) place.textContent = (values[event.target.value] || []).join(" · ");
  });
})();
