/* Comparing two states: a divider over one map, or two maps that move as one. */

(function () {
  "use strict";
  const { make, icon, say } = gridmap;

  /* Cut the panes of both sides off at the divider. */
  function cut(view) {
    const { map, split } = view, size = map.getSize();
    const [left, top] = [map.containerPointToLayerPoint([0, 0]), map.containerPointToLayerPoint([split, 0])];
    const box = (from, to) => `polygon(${from}px ${left.y}px, ${to}px ${left.y}px, ` +
      `${to}px ${left.y + size.y}px, ${from}px ${left.y + size.y}px)`;
    for (const role of ["grids", "edges", "labels"]) {
      for (const [side, from, to] of [["before", left.x, top.x], ["after", top.x, left.x + size.x]]) {
        const pane = map.getPane(`gridmap-${role}-${side}`);
        if (pane) pane.style.clipPath = view.together ? "none" : box(from, to);
      }
    }
  }

  gridmap.buildComparison = function (view) {
    const { map } = view, frame = map.getContainer();
    const chips = view.sheets.map(({ layer }, k) => gridmap.spoken(
      make("b", { class: `gm-side gm-side-${k ? "after" : "before"}` }), () => say(layer.about.name)));
    const handle = make("div", { class: "gm-divider", role: "slider", tabindex: "0",
      "aria-valuemin": "0", "aria-valuemax": "100" }, make("i"), ...chips);
    gridmap.spoken(handle, "divider", "aria-label");
    let share = 0.5;
    const set = x => {
      view.split = Math.max(0, Math.min(map.getSize().x, x));
      share = view.split / Math.max(1, map.getSize().x);
      handle.style.left = `${view.split}px`;
      handle.setAttribute("aria-valuenow", String(Math.round(100 * view.split / map.getSize().x)));
      cut(view);
    };
    const drag = event => set(event.clientX - frame.getBoundingClientRect().left);
    handle.addEventListener("pointerdown", event => {
      handle.setPointerCapture(event.pointerId); event.preventDefault(); handle.focus();
      handle.addEventListener("pointermove", drag);
    });
    handle.addEventListener("pointerup", () => handle.removeEventListener("pointermove", drag));
    handle.addEventListener("keydown", event => {
      const step = { ArrowLeft: -0.02, ArrowRight: 0.02, Home: -9, End: 9 }[event.key];
      if (step) { event.preventDefault(); set(view.split + step * map.getSize().x); }
    });
    document.body.append(handle);
    map.on("move zoomend viewreset", () => cut(view));
    map.on("resize", () => set(share * map.getSize().x));
    const { left: covered = 0 } = { left: (view.room().paddingTopLeft || [0])[0] };
    set((covered + map.getSize().x) / 2);
    view.divider = { handle, set };
  };

  /* Two maps beside each other: the second shows twins of the layers. */
  function open(view) {
    const { map } = view, [before, after] = view.sheets.map(({ layer }) => layer);
    const frame = make("div", { class: "gm-second" }), seen = gridmap.seen(view);
    const fold = document.querySelector(".gm-panel:not(.gm-folded) .gm-fold");
    if (fold && map.getSize().x < 1600) fold.click();      // half a screen has no room for it
    document.body.append(frame);
    document.body.classList.add("gm-side-by-side");
    map.invalidateSize({ animate: false });
    const second = L.map(frame, { zoomControl: false, attributionControl: false, maxZoom: 20,
      zoomSnap: map.options.zoomSnap, keyboard: false });
    second.gridmapTwins = true;
    view.second = second;
    second.setView(map.getCenter(), map.getZoom(), { animate: false });
    if (view.base && map.hasLayer(view.base)) gridmap.addBase(view, second);
    for (const layer of gridmap.order) {
      if (layer !== before && map.hasLayer(layer)) layer.twin().addTo(second);
    }
    map.removeLayer(after);
    view.together = true;
    view.divider.handle.hidden = true;
    cut(view);
    const follow = (from, to) => () => {
      if (view.following) return;
      view.following = true;
      to.setView(from.getCenter(), from.getZoom(), { animate: false });
      view.following = false;
    };
    const back = follow(map, second);
    map.on("move", back);
    map.fitBounds(seen, { animate: false, padding: [8, 8] });
    second.on("move", follow(second, map));
    gridmap.followMouse(view, second, () => view.sheets[1]);
    return () => {
      map.off("move", back);
      second.remove(); frame.remove();
      document.body.classList.remove("gm-side-by-side");
      view.together = false;
      view.divider.handle.hidden = false;
      map.addLayer(after);
      map.invalidateSize({ animate: false });
      if (fold && document.querySelector(".gm-folded")) fold.click();
      map.fitBounds(seen, Object.assign({ animate: false }, view.room()));
      cut(view);
    };
  }

  gridmap.tools.push(view => {
    if (view.sheets.length < 2) return null;
    let close = null;
    const button = make("button", { type: "button", "aria-pressed": "false", onclick: () => {
      if (close) { close(); close = null; } else close = open(view);
      button.setAttribute("aria-pressed", String(Boolean(close)));
    } }, icon("M3 4h14v12H3z", "M10 4v12"));
    gridmap.spoken(button, "sideBySide", "aria-label");
    gridmap.spoken(button, "sideBySide", "title");
    return button;
  });
})();
