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
        const entry = view.classes.entries[view.classes.numbers[i]];
        if (shown && entry) {                              // none where the filter leaves it out
          const swatch = make("i", { class: "gm-swatch" });
          swatch.style.backgroundColor = entry.colour;
          value.prepend(swatch);
        }
        return make("div", { class: shown ? "gm-shown" : undefined },
          make("dt", {}, say(column.title)), value);
      });
      box.replaceChildren(make("header", {},
        make("div", {}, make("h2", {}, figures.codes[i]), make("p", {}, placeLine(view, i))), close),
      make("dl", {}, ...rows));
      box.scrollIntoView({ block: "nearest" });
    };
    view.on("select", fill); view.on("language", fill); view.on("figure", fill);
    return box;
  };

  /* Where a grid lies, and on which side of a comparison. */
  function placeLine(view, i) {
    const side = view.sheets.length > 1 ? [say(view.figures.layer.about.name)] : [];
    return [...side, view.figures.placeOf(i)].filter(Boolean).join(" · ");
  }

  /* The side of the cursor on which a tip covers least of the grid that is selected. */
  const TIP = { x: 230, y: 76 }, AWAY = 12;
  const SIDES = {
    top: { offset: [0, -AWAY], box: ({ x, y }) => [x - TIP.x / 2, y - AWAY - TIP.y, x + TIP.x / 2, y - AWAY] },
    bottom: { offset: [0, AWAY + 8], box: ({ x, y }) => [x - TIP.x / 2, y + AWAY, x + TIP.x / 2, y + AWAY + TIP.y] },
    right: { offset: [AWAY, 0], box: ({ x, y }) => [x + AWAY, y - TIP.y / 2, x + AWAY + TIP.x, y + TIP.y / 2] },
    left: { offset: [-AWAY, 0], box: ({ x, y }) => [x - AWAY - TIP.x, y - TIP.y / 2, x - AWAY, y + TIP.y / 2] },
  };
  gridmap.sideOfTip = function (view, map, point) {
    if (!view.selectedBounds) return "top";
    const [north, south] = [view.selectedBounds.getNorthWest(), view.selectedBounds.getSouthEast()]
      .map(place => map.latLngToContainerPoint(place));
    const { x: width, y: height } = map.getSize();
    const shared = (from, to, least, most) => Math.max(0, Math.min(to, most) - Math.max(from, least));
    const cost = ([left, top, right, bottom]) => shared(left, right, north.x, south.x) * shared(top, bottom, north.y, south.y) +
      (left < 0 || top < 0 || right > width || bottom > height ? 1e6 : 0);
    return Object.keys(SIDES).reduce((best, side) =>
      (cost(SIDES[side].box(point)) < cost(SIDES[best].box(point)) ? side : best), "top");
  };

  /* The tip keeps away from the cursor and from the grid that is selected. */
  gridmap.followMouse = function (view, map = view.map, figuresAt = point => view.figuresAt(point)) {
    const tip = L.tooltip({ direction: "top", offset: [0, -12], opacity: 1, className: "gm-tip" });
    let latest = null, asking = false;

    const under = async event => {
      const figures = figuresAt(event.containerPoint);
      const layer = figures.layer;
      const shown = map.hasLayer(layer) || map.gridmapTwins;
      return { figures, i: shown ? await layer.polygonAt(event.latlng) : -1 };
    };
    const tell = (figures, i, place) => {
      const column = view.columnOf(figures);
      const side = gridmap.sideOfTip(view, map, map.latLngToContainerPoint(place));
      Object.assign(tip.options, { direction: side, offset: SIDES[side].offset });
      tip.setLatLng(place).setContent(make("div", {}, make("b", {}, figures.codes[i]),
        make("span", {}, figures.placeOf(i)),
        make("em", {}, `${say(column.title)}: ${figures.textOf(column, i)}`)));
      if (!map.hasLayer(tip)) map.openTooltip(tip);
    };
    const hide = () => { latest = null; map.closeTooltip(tip); };
    async function look() {
      if (asking) return;
      asking = true;
      while (latest) {
        const event = latest;
        latest = null;
        const { figures, i } = await under(event);
        const selected = i === view.selected && figures === view.figures;
        if (i >= 0 && !selected) tell(figures, i, event.latlng); else map.closeTooltip(tip);
      }
      asking = false;
    }
    view.on("select", hide);
    if (matchMedia("(hover: hover)").matches) {
      map.on("mousemove", event => {
        if (map.dragging && map.dragging.moving()) return;  // nothing is pointed at
        latest = event;
        look();
      });
      map.on("mouseout zoomstart movestart", hide);
    }
    map.on("click", async event => {
      if (gridmap.toolInUse) return;
      hide();
      const [{ figures, i }, things] = await Promise.all([under(event), gridmap.thingsAt(map, event.latlng)]);
      const again = i === view.selected && figures === view.figures;
      view.select(again && !things.length ? -1 : i, false, figures);
      if (things.length) gridmap.tellThings(view, map, things, i < 0 ? "" : figures.codes[i]);
    });
    map.getContainer().addEventListener("keydown", event => {
      if (event.key === "Escape") view.select(-1);
    });
  };
})();
