// Bars from a JSON block on the page: <canvas data-chart="id of the block">. The same figures stand in a table beside it.
(() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const drawn = [];

  const draw = (canvas) => {
    const data = JSON.parse(document.getElementById(canvas.dataset.chart).textContent);
    const money = new Intl.NumberFormat(document.documentElement.lang, { style: "currency", currency: data.currency, notation: "compact", maximumFractionDigits: 1 });
    Chart.defaults.font.family = '"Inter", system-ui';
    Chart.defaults.font.size = 12;
    Chart.defaults.color = colour("--mute");
    Chart.defaults.animation = false;
    const look = {
      solid: { backgroundColor: colour("--brand"), borderRadius: 4, borderSkipped: "bottom" },
      soft: { backgroundColor: colour("--brand-soft"), borderColor: colour("--brand"), borderWidth: 1, borderRadius: 4 },
    };
    drawn.push(new Chart(canvas, {
      type: "bar",
      data: { labels: data.labels, datasets: data.series.map((line) => ({ label: line.label, data: line.values, ...look[line.look] })) },
      options: {
        maintainAspectRatio: false,
        plugins: {
          legend: { position: "top", align: "end", labels: { boxWidth: 10, boxHeight: 10, padding: 12 } },
          tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${money.format(item.raw)}` } },
        },
        scales: {
          x: { stacked: true, ticks: { maxRotation: 0, autoSkip: true, maxTicksLimit: 7 }, grid: { display: false }, border: { color: colour("--line") } },
          y: { stacked: true, border: { display: false }, ticks: { maxTicksLimit: 4, callback: (value) => money.format(value) }, grid: { color: colour("--line2") } },
        },
      },
    }));
  };

  const drawAll = () => {
    drawn.splice(0).forEach((chart) => chart.destroy());
    document.querySelectorAll("canvas[data-chart]").forEach(draw);
  };
  document.addEventListener("themechange", drawAll);
  drawAll();
})();
