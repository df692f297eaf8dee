/* A slider of periods for figures over time. */

gridmap.buildTime = function (view) {
  "use strict";
  const { make, word } = gridmap;
  const slider = make("input", { type: "range", min: "0", step: "1", id: "gm-period" });
  const told = make("output", { for: "gm-period" });
  const play = make("button", { type: "button", class: "gm-plain" });
  const box = make("div", { class: "gm-time", hidden: true },
    gridmap.spoken(make("label", { for: "gm-period" }), "period"), told, slider, play);
  let timer = null;

  const show = at => {
    const { column } = view;
    view.period = at;
    for (const figures of view.sheets) {
      const own = view.columnOf(figures);
      if (own.series) own.values = own.series[at];
    }
    slider.value = String(at);
    slider.setAttribute("aria-valuetext", column.periods[at]);
    told.textContent = column.periods[at];
    view.recolour();
  };
  view.showPeriod = show;
  const stop = () => { clearInterval(timer); timer = null; play.textContent = word("play"); };
  slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
  play.addEventListener("click", () => {
    if (timer) { stop(); return; }
    play.textContent = word("pause");
    timer = setInterval(() => show((view.period + 1) % view.column.periods.length), 900);
  });
  let column = null;
  view.on("figure", () => {
    if (view.column === column) return;
    column = view.column;
    stop();
    box.hidden = !column.periods;
    if (!column.periods) return;
    slider.max = String(column.periods.length - 1);
    show(column.periods.length - 1);
  });
  view.on("language", stop);
  stop();
  return box;
};
