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
  const own = gridmap.order.filter(layer => layer.about.figures).slice(0, 2);
  if (own.length) {
    own.forEach(layer => layer.feed());
    const contents = await Promise.all(own.map(layer => gridmap.unpack(layer.figures)));
    view.show(contents.map((content, k) => new gridmap.Figures(content, own[k])));
    fillPanel();
    if (own.length === 2) gridmap.buildComparison(view);
    gridmap.followMouse(view);
  }
  if (page.faults) gridmap.buildFaults(view, page.faults);
  gridmap.buildTools(view);
  gridmap.restore(view);
  gridmap.keepAddress(view);
  gridmap.ready = performance.now();
};
