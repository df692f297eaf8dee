/* The strip of tools at the upper right: layers, language, and what other files add. */

(function () {
  "use strict";
  const { make, icon, say, word } = gridmap;

  gridmap.tools = [];                                      // functions of the view that return a button

  /* A button that opens a card; one card is open at a time. */
  gridmap.cardButton = function (key, picture, content) {
    const card = make("div", { class: "gm-card", hidden: true }, content);
    const button = make("button", { type: "button", "aria-expanded": "false" }, picture);
    gridmap.spoken(button, key, "aria-label");
    gridmap.spoken(button, key, "title");
    const set = open => {
      card.hidden = !open;
      button.setAttribute("aria-expanded", String(open));
    };
    button.addEventListener("click", () => {
      const open = card.hidden;
      document.querySelectorAll(".gm-tool [aria-expanded=true]").forEach(other => other.click());
      set(open);
    });
    card.addEventListener("keydown", event => {
      if (event.key === "Escape") { set(false); button.focus(); }
    });
    return make("div", { class: "gm-tool" }, button, card);
  };

  gridmap.buildTools = function (view) {
    gridmap.buildBase(view);
    if (!view.sheets.length) {                             // single things without any grid
      view.map.on("click", async event => {
        if (gridmap.toolInUse) return;
        const things = await gridmap.thingsAt(view.map, event.latlng);
        if (things.length) gridmap.tellThings(view, view.map, things, "");
      });
    }
    const strip = make("div", { class: "gm-tools", role: "group" });
    gridmap.spoken(strip, "tools", "aria-label");
    strip.append(layerTool(view), ...gridmap.tools.map(tool => tool(view)).filter(Boolean),
      languageTool(view));
    document.body.append(strip);
  };

  function languageTool(view) {
    const button = make("button", { type: "button", class: "gm-language" });
    gridmap.spoken(button, "otherLanguage");
    gridmap.spoken(button, "switchLanguage", "title");
    button.addEventListener("click", () =>
      gridmap.setLanguage(gridmap.language === "zh" ? "en" : "zh", view));
    return button;
  }

  function layerTool(view) {
    const list = make("ul", { class: "gm-layers" });
    const listed = gridmap.order.filter(layer => !layer.about.background).reverse();
    for (const layer of listed) list.append(layerRow(view, layer));
    if (view.base) list.append(baseRow(view));
    return gridmap.cardButton("layers",
      icon("M10 3l7.5 4L10 11 2.5 7z", "M2.5 10.5L10 14.5l7.5-4", "M2.5 13.8L10 17.8l7.5-4"),
      make("div", {}, gridmap.spoken(make("h2"), "layers"), list));
  }

  function layerRow(view, layer) {
    const { map } = view, { about } = layer;
    const box = make("input", { type: "checkbox", id: "gm-show-" + layer.id });
    box.checked = map.hasLayer(layer);
    box.addEventListener("change", () => { if (box.checked) map.addLayer(layer); else map.removeLayer(layer); });
    const follow = () => {
      box.checked = map.hasLayer(layer);
      row.classList.toggle("gm-off", !box.checked);
    };
    map.on("layeradd layerremove", follow);
    const name = gridmap.spoken(make("span"), about.name);
    const count = about.count === undefined ? null :
      gridmap.spoken(make("small"), () => gridmap.number(about.count));
    const row = make("li", {}, make("label", { for: box.id }, box, name, count));
    if (about.kinds) row.append(make("ul", { class: "gm-kinds" }, ...about.kinds.map(kindRow)));
    if (about.ramp) row.append(rampRow(about.ramp));
    if (about.figures) row.append(opacityRow(layer));
    follow();
    return row;
  }
  /* The ground is told with the machine that it comes from, and whether that one answers. */
  function baseRow(view) {
    const { map, base, page } = view;
    const box = make("input", { type: "checkbox", id: "gm-show-base" });
    box.checked = true;
    box.addEventListener("change", () => { if (box.checked) map.addLayer(base); else map.removeLayer(base); });
    const note = gridmap.spoken(make("p", { class: "gm-note gm-indented" }), () =>
      (view.baseFailed ? word("baseFailed", { machine: page.base.machine }) :
        page.base.machine ? word("baseFrom", { machine: page.base.machine }) : ""));
    view.on("base", () => gridmap.setWord(note));
    return make("li", {}, make("label", { for: box.id }, box, gridmap.spoken(make("span"), "base")), note);
  }
  function opacityRow(layer) {
    const id = "gm-opacity-" + layer.id;
    const slider = make("input", { type: "range", min: "10", max: "100", step: "5", id });
    const follow = () => { slider.value = String(Math.round(100 * layer.options.opacity)); };
    slider.addEventListener("input", () => layer.setOpacity(Number(slider.value) / 100));
    setTimeout(follow);
    return make("div", { class: "gm-opacity" }, gridmap.spoken(make("label", { for: id }), "opacity"), slider);
  }
  function kindRow(kind) {
    const swatch = make("i", { class: "gm-mark gm-mark-" + kind.mark });
    swatch.style.color = kind.colour;
    return make("li", {}, swatch, gridmap.spoken(make("span"), kind.name),
      kind.count === undefined ? null :
        gridmap.spoken(make("small"), () => gridmap.number(kind.count)));
  }
  function rampRow(ramp) {
    const bar = make("i", { class: "gm-ramp" });
    bar.style.background = `linear-gradient(90deg, ${ramp.join(",")})`;
    return make("div", { class: "gm-ramp-row" }, gridmap.spoken(make("small"), "few"), bar,
      gridmap.spoken(make("small"), "many"));
  }
})();
