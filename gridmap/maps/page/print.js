/* Print: the map on a landscape sheet with title, legend and scale. */

(function () {
  "use strict";
  const { make, icon } = gridmap;
  const drawn = layer => new Promise(done => {
    if (!layer.isLoading || !layer.isLoading()) done();
    else { layer.once("load", done); setTimeout(done, 4000); }
  });

  /* The land that no panel covers: that much is printed beside the legend. */
  gridmap.seen = function (view) {
    const { map } = view, size = map.getSize();
    const { paddingTopLeft: [left, top] = [0, 0], paddingBottomRight: [right, bottom] = [0, 0] } = view.room();
    const place = (x, y) => map.containerPointToLatLng([x, y]);
    return L.latLngBounds(place(left, size.y - bottom), place(size.x - right, top));
  };

  /* Lay the page out for paper and wait until every tile is drawn. */
  gridmap.preparePrint = async function (view) {
    const { map } = view, bounds = gridmap.seen(view);
    document.body.classList.add("gm-paper");
    map.invalidateSize({ animate: false });
    const { zoomSnap } = map.options;
    map.options.zoomSnap = 0;                              // paper is filled, whatever its size
    map.fitBounds(bounds, Object.assign({ animate: false }, view.room()));
    map.options.zoomSnap = zoomSnap;
    await new Promise(done => setTimeout(done, 120));
    await Promise.all([view.base, ...gridmap.order, ...Object.values(map.gridmapLabels || {})]
      .filter(layer => layer && map.hasLayer(layer)).map(drawn));
    await new Promise(done => setTimeout(done, 300));      // tiles fade in
  };
  gridmap.leavePrint = function (view) {
    document.body.classList.remove("gm-paper");
    view.map.invalidateSize({ animate: false });
  };
  gridmap.tools.push(view => {
    const button = make("button", { type: "button", onclick: async () => {
      const { map } = view, centre = map.getCenter(), zoom = map.getZoom();
      await gridmap.preparePrint(view);
      window.print();
      gridmap.leavePrint(view);
      map.setView(centre, zoom, { animate: false });
    } }, icon("M6 7V3h8v4", "M4 7h12a1.5 1.5 0 0 1 1.5 1.5V13H14", "M6 13H2.5V8.5A1.5 1.5 0 0 1 4 7", "M6 11h8v6H6z"));
    gridmap.spoken(button, "print", "aria-label");
    gridmap.spoken(button, "print", "title");
    return button;
  });
})();
