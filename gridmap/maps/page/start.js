/* Start the page: words, view, panel, tools. Called once, when the map and its layers exist. */

gridmap.start = async function (map) {
  "use strict";
  const page = JSON.parse(document.getElementById("gridmap-page").textContent);
  gridmap.words = page.words;
  gridmap.palettes = page.palettes;
  gridmap.language = page.language === "auto" ?
    (navigator.language.startsWith("zh") ? "zh" : "en") : page.language;
  document.documentElement.lang = gridmap.language === "zh" ? "zh-CN" : "en";

  const view = gridmap.view = new gridmap.View(map, page);
  const container = map.getContainer();
  container.setAttribute("role", "application");
  gridmap.spoken(container, "map", "aria-label");
  map.attributionControl.setPrefix(false);
  L.control.scale({ imperial: false, position: "bottomright" }).addTo(map);
  map.zoomControl.setPosition("bottomright");
  const credit = gridmap.make("span", { class: "gm-credit" });
  gridmap.spoken(credit, page.credit);
  map.attributionControl.getContainer().append(credit);

  for (const layer of gridmap.order) layer.about = page.layers[layer.id];
  const fillPanel = gridmap.buildPanel(view);
  const first = gridmap.order.find(layer => layer.about.home) || gridmap.order[0];
  if (first && page.fit) map.fitBounds(first.bounds(), Object.assign({ animate: false }, view.room()));
  const own = gridmap.order.find(layer => layer.about.figures);
  if (own) {
    own.feed();
    view.show(new gridmap.Figures(await gridmap.unpack(own.figures), own));
    fillPanel();
    gridmap.followMouse(view);
  }
  gridmap.buildTools(view);
  gridmap.restore(view);
  gridmap.keepAddress(view);
  gridmap.ready = performance.now();
};
