/* The view in the address after #: open it again, or hand it on. */

(function () {
  "use strict";
  const { make, icon, word } = gridmap;

  const switched = () => gridmap.order.filter(layer => !layer.about.background);
  const written = view => {
    const { map, figures } = view, centre = map.getCenter();
    const parts = { at: [map.getZoom(), centre.lat.toFixed(5), centre.lng.toFixed(5)].join("/"),
      language: gridmap.language };
    if (figures) {
      Object.assign(parts, { figure: view.column.name, method: view.method, place: view.place,
        own: view.method === "own" ? view.own.join(";") : "",
        grid: view.selected < 0 ? "" : figures.codes[view.selected],
        period: view.column.periods ? view.column.periods[view.period] : "" });
    }
    const listed = switched();
    if (listed.some((layer, k) => map.hasLayer(layer) !== view.shownAtFirst[k])) {
      parts.layers = listed.map(layer => (map.hasLayer(layer) ? 1 : 0)).join("");
    }
    return new URLSearchParams(Object.entries(parts).filter(([, value]) => value)).toString();
  };
  gridmap.address = view => location.href.split("#")[0] + "#" + written(view);

  /* Take up a view; what does not fit this page is passed over. */
  gridmap.restore = function (view) {
    const parts = new URLSearchParams(location.hash.slice(1)), { figures } = view;
    const listed = switched(), wanted = parts.get("layers") || "";
    view.shownAtFirst = listed.map(layer => view.map.hasLayer(layer));
    if (wanted.length === listed.length) {
      listed.forEach((layer, k) => {
        if (wanted[k] === "1") view.map.addLayer(layer); else view.map.removeLayer(layer);
      });
    }
    if (["en", "zh"].includes(parts.get("language"))) gridmap.setLanguage(parts.get("language"), view);
    if (figures) {
      const own = (parts.get("own") || "").split(";").map(Number).filter(Number.isFinite).slice(0, 5);
      if (figures.byName.has(parts.get("figure"))) {
        view.setFigure(parts.get("figure"), parts.get("method"));
        if (parts.get("method") === "own" && own.length && view.column.kind !== "text") {
          view.setMethod("own", own.sort((one, other) => one - other));
        }
      }
      const period = (view.column.periods || []).indexOf(parts.get("period"));
      if (period >= 0) view.showPeriod(period);
      if (figures.territories().some(one => one.path === parts.get("place"))) {
        view.setPlace(parts.get("place"), false);
      }
      const i = figures.codes.indexOf(parts.get("grid"));
      if (i >= 0) view.select(i, !parts.get("at"));
    }
    const [zoom, latitude, longitude] = (parts.get("at") || "").split("/").map(Number);
    if ([zoom, latitude, longitude].every(Number.isFinite)) {
      view.map.setView([latitude, longitude], zoom, { animate: false });
    }
  };
  /* Keep the address up to date; in a frame of a notebook there is none to keep. */
  gridmap.keepAddress = function (view) {
    const keep = () => {
      try { history.replaceState(null, "", "#" + written(view)); } catch (refused) { /* no address */ }
    };
    view.map.on("moveend layeradd layerremove", event => {
      if (event.type === "moveend" || gridmap.order.includes(event.layer)) keep();
    });
    for (const event of ["figure", "select", "language"]) view.on(event, keep);
  };

  gridmap.tools.push(view => {
    if (location.protocol === "about:") return null;       // in a notebook's frame
    const field = make("input", { type: "text", readonly: true });
    gridmap.spoken(field, "shareLink", "aria-label");
    const copy = gridmap.spoken(make("button", { type: "button", class: "gm-plain" }), "copy");
    const said = make("p", { class: "gm-note", "aria-live": "polite" });
    copy.addEventListener("click", async () => {
      field.select();
      try { await navigator.clipboard.writeText(field.value); said.textContent = word("copied"); }
      catch (refused) { said.textContent = word("copyByHand"); }
    });
    const tool = gridmap.cardButton("share",
      icon("M8 11.5a3.5 3.5 0 0 0 5 0l3-3a3.5 3.5 0 0 0-5-5l-1 1", "M12 8.5a3.5 3.5 0 0 0-5 0l-3 3a3.5 3.5 0 0 0 5 5l1-1"),
      make("div", { class: "gm-share" }, gridmap.spoken(make("h2"), "share"), field, copy, said,
        gridmap.spoken(make("p", { class: "gm-note" }), "shareNote")));
    tool.querySelector("button").addEventListener("click", () => {
      field.value = gridmap.address(view); said.textContent = "";
    });
    return tool;
  });
})();
