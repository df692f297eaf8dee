/* The ground that a user laid under the page: a picture in it, or tiles of one machine. */

(function () {
  "use strict";
  const PANE = "gridmap-base";                             // above the land, below the grids

  function layerOf(base) {
    const options = { pane: PANE, maxZoom: 20, tms: base.south, referrerPolicy: "no-referrer" };
    if (base.kind === "picture") return L.imageOverlay(base.address, base.bounds, { pane: PANE });
    if (base.kind === "wms") return L.tileLayer.wms(base.address, Object.assign(options, base.parameters));
    return L.tileLayer(base.address, options);
  }

  /* Put the ground under a map, and return it. A second map gets a layer of its own. */
  gridmap.addBase = function (view, map) {
    const { base } = view.page;
    if (!base) return null;
    map.createPane(PANE).style.zIndex = 215;
    map.getPane(PANE).style.pointerEvents = "none";
    return layerOf(base).addTo(map);
  };

  gridmap.buildBase = function (view) {
    const { map, page } = view;
    view.base = gridmap.addBase(view, map);
    if (!view.base) return;
    view.base.on("tileerror", () => { view.baseFailed = true; view.tell("base"); });
    view.base.on("tileload", () => { if (view.baseFailed) { view.baseFailed = false; view.tell("base"); } });
    if (page.base.bounds && page.fit && !gridmap.order.length) {
      map.fitBounds(page.base.bounds, Object.assign({ animate: false }, view.room()));
    }
    for (const { layer } of view.sheets) layer.setOpacity(0.6);  // so that the ground can be seen
  };
})();
