/* Search by code, name or address: a combobox. A hit is selected and the map goes there. */

(function () {
  "use strict";
  const { make, icon } = gridmap;
  const MOST = 12;

  gridmap.buildSearch = function (view) {
    const input = make("input", { type: "search", role: "combobox", autocomplete: "off",
      "aria-expanded": "false", "aria-controls": "gm-hits", "aria-autocomplete": "list" });
    const asked = gridmap.hasTexts() ? "searchAddress" : "search";
    gridmap.spoken(input, asked, "placeholder");
    gridmap.spoken(input, asked, "aria-label");
    const list = make("ul", { id: "gm-hits", role: "listbox", hidden: true });
    gridmap.spoken(list, "hits", "aria-label");
    const said = make("p", { class: "gm-quiet", "aria-live": "polite" });
    let hits = [], at = 0;

    const paint = () => {
      list.replaceChildren(...hits.map((hit, k) => make("li",
        { role: "option", id: "gm-hit-" + k, "aria-selected": String(k === at) },
        make("b", {}, hit.told ? hit.told.name(hit.i) : hit.figures.codes[hit.i]),
        make("span", {}, hit.told ? gridmap.say(hit.layer.about.kinds[hit.told.kinds[hit.i]].name) : [
          ...(view.sheets.length > 1 ? [gridmap.say(hit.figures.layer.about.name)] : []),
          hit.figures.placeOf(hit.i)].filter(Boolean).join(" · ")))));
      const none = !hits.length && input.value.trim();
      if (none) list.append(make("li", { class: "gm-none" }, gridmap.word("noHit")));
      list.hidden = !hits.length && !none;
      input.setAttribute("aria-expanded", String(hits.length > 0));
      if (hits.length) input.setAttribute("aria-activedescendant", "gm-hit-" + at);
      else input.removeAttribute("aria-activedescendant");
      const chosen = list.children[at];
      if (chosen && chosen.scrollIntoView) chosen.scrollIntoView({ block: "nearest" });
    };
    const close = () => { hits = []; list.hidden = true; input.setAttribute("aria-expanded", "false"); };
    const choose = k => {
      const hit = hits[k];
      close();
      if (hit.told) gridmap.showThing(view, hit); else view.select(hit.i, true, hit.figures);
    };
    const tell = () => {
      said.textContent = input.value ? gridmap.word("found", { n: hits.length }) : "";
      paint();
    };
    input.addEventListener("input", () => {
      hits = [...view.sheets].reverse().flatMap(figures =>
        figures.search(input.value, MOST).map(i => ({ figures, i })));
      at = 0;
      tell();
      if (!gridmap.hasTexts()) return;
      const asked = input.value, grids = hits;
      gridmap.searchThings(asked, MOST).then(things => {
        if (!things.length || input.value !== asked || hits !== grids) return;
        hits = [...grids, ...things];
        tell();
      });
    });
    input.addEventListener("keydown", event => {
      if (event.key === "ArrowDown" && hits.length) at = (at + 1) % hits.length;
      else if (event.key === "ArrowUp" && hits.length) at = (at + hits.length - 1) % hits.length;
      else if (event.key === "Enter" && hits.length) { event.preventDefault(); choose(at); return; }
      else if (event.key === "Escape") { close(); return; }
      else return;
      event.preventDefault();
      paint();
    });
    list.addEventListener("mousedown", event => {
      const hit = event.target.closest("[role=option]");
      if (hit) { event.preventDefault(); choose([...list.children].indexOf(hit)); }
    });
    input.addEventListener("blur", () => setTimeout(close, 150));
    return make("div", { class: "gm-search", role: "search" },
      icon("M9 3.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11z", "M13 13l4 4"), input, list, said);
  };
})();
