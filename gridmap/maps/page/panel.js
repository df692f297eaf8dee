/* The panel: title, search, choice of figure, legend, and the grid that is selected. */

(function () {
  "use strict";
  const { make, icon, word, say } = gridmap;

  /* Elements whose words follow the language. */
  const spoken = [];
  gridmap.spoken = function (element, key, attribute) {
    const speak = () => {
      const text = typeof key === "string" ? word(key) : typeof key === "function" ? key() : say(key);
      if (attribute) element.setAttribute(attribute, text); else element.textContent = text;
    };
    spoken.push(speak); speak();
    element.gridmapSpeak = speak;
    return element;
  };
  /* Say again what an element says, where that is more than its language. */
  gridmap.setWord = element => element.gridmapSpeak();
  gridmap.setLanguage = function (language, view) {
    gridmap.language = language;
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
    for (const speak of spoken) speak();
    view.tell("language");
  };

  gridmap.buildPanel = function (view) {
    const { page } = view, body = make("div", { class: "gm-body" });
    const line = gridmap.spoken(make("p", { class: "gm-subtitle" }), () => subtitle(view));
    const fold = make("button", { type: "button", class: "gm-fold", "aria-expanded": "true",
      hidden: true }, icon("M5 7.5l5 5 5-5"));
    gridmap.spoken(fold, "fold", "aria-label");
    const panel = make("section", { class: "gm-panel" }, make("header", {},
      make("div", {}, gridmap.spoken(make("h1"), page.title), line), fold), body);
    gridmap.spoken(panel, "panel", "aria-label");
    const setFolded = folded => {
      panel.classList.toggle("gm-folded", folded);
      fold.setAttribute("aria-expanded", String(!folded));
    };
    fold.addEventListener("click", () => setFolded(!panel.classList.contains("gm-folded")));
    document.body.append(panel);
    return () => {                                         // once the figures are there
      const retell = () => { line.textContent = subtitle(view); };
      retell();
      view.on("figure", retell);
      fold.hidden = false;
      body.append(gridmap.buildSearch(view), buildChoice(view), gridmap.buildTime(view),
        buildLegend(view), gridmap.buildDetail(view));
      setFolded(matchMedia("(max-width: 640px)").matches);
      view.tell("figure");
      view.on("select", () => { if (view.selected >= 0) setFolded(false); });
    };
  };

  /* What a layer counts need not be grids. */
  gridmap.counted = ({ layer }, key, values) =>
    word(layer.about.counted ? `${key} ${layer.about.counted}` : key, values);
  /* How many grids and people are shown; no sum where a part of it is withheld. */
  function subtitle(view) {
    const { figures, inside } = view;
    if (!figures) return view.page.faults ? gridmap.tellFaults(view.page.faults) : "";
    if (view.sheets.length > 1) {                          // how many there are on each side
      return view.sheets.map(one => `${say(one.layer.about.name)}: ` + gridmap.counted(one, "grids",
        { n: gridmap.number(view.place ? one.within(view.place).filter(Boolean).length : one.count) })).join(" · ");
    }
    const shown = inside ? inside.filter(Boolean).length : figures.count;
    const parts = [gridmap.counted(figures, "grids", { n: gridmap.number(shown) })];
    for (const name of ["households", "people"]) {
      const column = figures.byName.get(name);
      if (!column || column.kind === "text" || column.withheld) continue;
      const sum = column.values.reduce((one, other, i) =>
        one + (inside && !inside[i] ? 0 : other || 0), 0);
      parts.push(word("sum", { n: gridmap.number(sum), figure: say(column.title).toLowerCase() }));
    }
    return parts.join(" · ");
  }

  function buildChoice(view) {
    const figure = make("select", { id: "gm-figure" }), method = make("select", { id: "gm-method" });
    const own = make("input", { id: "gm-own", type: "text", inputmode: "decimal", hidden: true });
    gridmap.spoken(own, "ownBreaks", "aria-label");
    gridmap.spoken(own, "ownBreaks", "placeholder");
    const methodRow = make("div", { class: "gm-field" },
      gridmap.spoken(make("label", { for: "gm-method" }), "method"), method);
    const territories = view.figures.territories();
    const place = make("select", { id: "gm-place" });
    const placeRow = make("div", { class: "gm-field", hidden: territories.length < 2 },
      gridmap.spoken(make("label", { for: "gm-place" }), "place"), place);
    const fillPlaces = () => {
      place.replaceChildren(make("option", { value: "" }, word("allPlaces")),
        ...territories.map(one => make("option", { value: one.path },
          "\u2003".repeat(one.depth) + one.name)));
      place.value = view.place;
    };
    place.addEventListener("change", () => view.setPlace(place.value));
    fillPlaces();
    const fill = () => {
      place.value = view.place;
      figure.replaceChildren(...view.figures.columns.map(column =>
        make("option", { value: column.name }, say(column.title))));
      figure.value = view.column.name;
      const names = Object.keys(view.column.breaks || {});
      methodRow.hidden = !names.length;
      method.replaceChildren(...[...names, "own"].map(name =>
        make("option", { value: name }, word("method " + name))));
      method.value = view.method || "";
      own.hidden = methodRow.hidden || view.method !== "own";
    };
    figure.addEventListener("change", () => view.setFigure(figure.value));
    method.addEventListener("change", () => {
      if (method.value !== "own") { view.setMethod(method.value); return; }
      own.value = view.breaks().join("; ");
      view.setMethod("own", view.breaks());
      own.focus();
    });
    own.addEventListener("change", () => {
      const numbers = own.value.split(/[;\s]+/).filter(Boolean).map(Number);
      const right = numbers.length && numbers.length <= 5 && numbers.every(Number.isFinite);
      own.setAttribute("aria-invalid", String(!right));
      if (right) view.setMethod("own", [...new Set(numbers)].sort((one, other) => one - other));
    });
    view.on("figure", fill); view.on("language", fill); view.on("language", fillPlaces);
    fill();
    return make("div", { class: "gm-choice" }, placeRow,
      make("div", { class: "gm-field" },
        gridmap.spoken(make("label", { for: "gm-figure" }), "figure"), figure),
      methodRow, own);
  }

  /* Each class with its colour and count (on both sides of a comparison); a press hides or
     shows its grids. */
  function buildLegend(view) {
    const list = make("ul");
    const legend = make("div", { class: "gm-legend", role: "group" }, list,
      gridmap.spoken(make("p", { class: "gm-note" }), () => gridmap.counted(view.figures, "legendNote")));
    gridmap.spoken(legend, "legend", "aria-label");
    const fill = () => {
      legend.dataset.figure = say(view.column.title);
      const longest = view.sheets.reduce((one, { now }) =>
        (now.entries.length > one.length ? now.entries : one), []);
      const most = Math.max(1, ...view.sheets.flatMap(({ now }) => now.entries.map(one => one.count)));
      list.replaceChildren(...longest.map((entry, k) => make("li", {}, make("button", {
        type: "button", "aria-pressed": String(!view.hidden.has(k)),
        onclick: () => { view.toggle(k); list.querySelectorAll("button")[k].focus(); } },
      swatch(entry), make("span", { class: "gm-class" }, say(entry.label)),
      ...view.sheets.map(({ now }) => count(now.entries[k], most))))));
      if (view.sheets.length > 1) {
        list.prepend(make("li", { class: "gm-sides", "aria-hidden": "true" },
          ...view.sheets.map(({ layer }) => make("b", {}, say(layer.about.name)))));
      }
    };
    view.on("figure", fill); view.on("language", fill);
    fill();
    return legend;
  }
  function swatch(entry) {
    const mark = make("i", { class: entry.striped ? "gm-swatch gm-striped" : "gm-swatch" });
    mark.style.backgroundColor = entry.colour;
    return mark;
  }
  function count(entry, most) {
    const bar = make("span", { class: "gm-bar" });
    bar.style.width = `${100 * (entry ? entry.count : 0) / most}%`;
    return make("span", { class: "gm-count" }, bar, gridmap.number(entry ? entry.count : 0));
  }
})();
