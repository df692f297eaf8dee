/* The grid under the mouse (a short tip) and the grid selected (all its figures). */

(function () {
  "use strict";
  const { make, icon, word, say } = gridmap;

  gridmap.buildDetail = function (view) {
    const box = make("section", { class: "gm-detail", "aria-live": "polite", hidden: true });
    const fill = () => {
      box.hidden = view.selected < 0;
      if (box.hidden) { box.replaceChildren(); return; }
      const { figures, selected: i } = view;
      const close = make("button", { type: "button", class: "gm-close", "aria-label": word("close"),
        onclick: () => view.select(-1) }, icon("M5 5l10 10", "M15 5L5 15"));
      const rows = figures.columns.map(column => {
        const shown = column === view.column;
        const value = make("dd", {}, figures.textOf(column, i));
        if (shown) {
          const swatch = make("i", { class: "gm-swatch" });
          swatch.style.backgroundColor = view.classes.entries[view.classes.numbers[i]].colour;
          value.prepend(swatch);
        }
        return make("div", { class: shown ? "gm-shown" : undefined },
          make("dt", {}, say(column.title)), value);
      });
      box.replaceChildren(make("header", {},
        make("div", {}, make("h2", {}, figures.codes[i]), make("p", {}, figures.placeOf(i))), close),
      make("dl", {}, ...rows));
      box.scrollIntoView({ block: "nearest" });
    };
    view.on("select", fill); view.on("language", fill); view.on("figure", fill);
    return box;
  };

  /* The tip keeps away from the cursor and from the grid that is selected. */
  gridmap.followMouse = function (view) {
    const { map } = view;
    const tip = L.tooltip({ direction: "top", offset: [0, -12], opacity: 1, className: "gm-tip" });
    let latest = null, asking = false, under = -1;

    const tell = (i, place) => {
      const { figures, column } = view;
      const content = make("div", {}, make("b", {}, figures.codes[i]),
        make("span", {}, figures.placeOf(i)),
        make("em", {}, `${say(column.title)}: ${figures.textOf(column, i)}`));
      tip.setLatLng(place).setContent(content);
      if (!map.hasLayer(tip)) map.openTooltip(tip);
    };
    const hide = () => { under = -1; latest = null; map.closeTooltip(tip); };
    async function look() {
      if (asking) return;
      asking = true;
      while (latest) {
        const place = latest;
        latest = null;
        under = map.hasLayer(view.figures.layer) ? await view.figures.layer.polygonAt(place) : -1;
        if (under >= 0 && under !== view.selected) tell(under, place); else map.closeTooltip(tip);
      }
      asking = false;
    }
    view.on("select", hide);
    if (matchMedia("(hover: hover)").matches) {
      map.on("mousemove", event => { latest = event.latlng; look(); });
      map.on("mouseout zoomstart movestart", hide);
    }
    map.on("click", async event => {
      if (gridmap.toolInUse) return;
      hide();
      const i = map.hasLayer(view.figures.layer) ?
        await view.figures.layer.polygonAt(event.latlng) : -1;
      view.select(i === view.selected ? -1 : i);
    });
    map.getContainer().addEventListener("keydown", event => {
      if (event.key === "Escape") view.select(-1);
    });
  };
})();
