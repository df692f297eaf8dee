/* The faults of an input: a list by kind beside the map, and a mark on the map for each. */

(function () {
  "use strict";
  const { make, icon, word, say } = gridmap;
  const STEP = 100;                                        // rows that a list grows by
  const ROUND = { weight: 1.5, color: "#fff", fillOpacity: 1, radius: 7 };
  const MARKS = [[400, 12, 4], [120, 14.5, 5]];            // more than, below zoom: this radius
  const FEW = 8;                                           // faults that are told without a press

  class Faults {
    constructor(view, content) {
      Object.assign(this, { view, content, shut: new Set(), text: "", selected: -1 });
      this.severities = content.severities;
      this.kinds = content.kinds.map((kind, number) => Object.assign({ number, rows: [], most: STEP }, kind));
      content.rows.forEach((row, i) => {
        row.kind = this.kinds[row.kind]; row.i = i; row.kind.rows.push(row);
        row.folded = [row.id, row.layer, row.note, row.kind.name.en, row.kind.name.zh].join("\n").toLowerCase();
      });
      const pane = "gridmap-faults";                       // under the names, over all the rest
      view.map.createPane(pane).style.zIndex = 275;
      this.pen = L.canvas({ padding: 0.3, tolerance: 6, pane });
      if (content.rows.length <= FEW) for (const kind of this.kinds) kind.open = true;
      this.group = L.layerGroup().addTo(view.map);
      content.rows.forEach(row => this.draw(row));
    }
    get count() { return this.content.counts.reduce((sum, one) => sum + one, 0); }
    colourOf(row) { return this.severities[row.kind.severity].colour; }

    /* ---------------------------------------------------------------- on the map */

    draw(row) {
      if (!row.place) return;
      const colour = this.colourOf(row), [lon, lat] = row.place;
      row.marks = [L.circleMarker([lat, lon], Object.assign({ renderer: this.pen, fillColor: colour }, ROUND))];
      if (row.rings) {
        const whole = row.area === null;                   // the box of a file: a frame, no land
        row.marks.unshift(L.polygon(row.rings.map(rings => rings.map(ring => ring.map(([x, y]) => [y, x]))),
          { renderer: this.pen, color: colour, weight: whole ? 1.5 : 2, dashArray: whole ? "6 5" : null,
            fill: !whole, fillColor: colour, fillOpacity: 0.35 }));
      }
      for (const mark of row.marks) {
        mark.on("click", event => { L.DomEvent.stop(event); this.select(row.i, false); });
        mark.bindTooltip(() => this.tip(row), { direction: "top", offset: [0, -8], opacity: 1,
          className: "gm-tip", sticky: Boolean(row.rings) });
      }
    }
    tip(row) {
      return make("div", {}, make("b", {}, say(row.kind.name)),
        make("span", {}, [row.layer, row.id].filter(Boolean).join(" · ")),
        make("em", {}, this.advice(row)));
    }
    advice(row) { return row.advice || say(row.kind.advice); }
    wanted(row) {
      return !this.shut.has(row.kind.severity) && (!this.text || row.folded.includes(this.text));
    }
    show() {
      for (const row of this.content.rows) {
        for (const mark of row.marks || []) {
          if (this.wanted(row)) this.group.addLayer(mark); else this.group.removeLayer(mark);
        }
      }
    }
    /* Many marks must not hide each other, nor the land. */
    size() {
      const placed = this.content.rows.filter(row => row.place), { map } = this.view;
      const [, , radius] = MARKS.find(([more, zoom]) => placed.length > more && map.getZoom() < zoom) ||
        [0, 0, ROUND.radius];
      if (radius === this.radius) return;
      this.radius = radius;
      for (const row of placed) row.marks[row.marks.length - 1].setRadius(radius);
    }
    bounds() {
      const all = L.latLngBounds([]);
      for (const row of this.content.rows) if (row.place) all.extend(this.boundsOf(row));
      return all;
    }
    boundsOf(row) {
      const [west, south, east, north] = row.box || [row.place[0], row.place[1], row.place[0], row.place[1]];
      return L.latLngBounds([south, west], [north, east]);
    }

    /* Select a fault (-1: none); `go` moves the map to it, beside the panel. */
    select(i, go) {
      this.selected = this.selected === i && !go ? -1 : i;
      if (this.ring) { this.ring.remove(); this.ring = null; }
      const row = this.content.rows[this.selected];
      if (row && row.marks) for (const mark of row.marks) mark.closeTooltip();
      if (row && row.place) {
        const line = { fill: false, interactive: false };
        const [lon, lat] = row.place, shape = row.rings && row.marks[0].getLatLngs();
        this.ring = L.layerGroup([
          ...(shape ? [L.polygon(shape, Object.assign({ color: "#fff", weight: 7 }, line)),
            L.polygon(shape, Object.assign({ color: "#111827", weight: 3 }, line))] : []),
          L.circleMarker([lat, lon], Object.assign({ color: "#fff", weight: 7, radius: 13 }, line)),
          L.circleMarker([lat, lon], Object.assign({ color: "#111827", weight: 3, radius: 13 }, line)),
        ]).addTo(this.view.map);
        if (go) this.view.goTo(this.boundsOf(row), 18);
      }
      if (row) {
        row.kind.open = true;
        while (row.kind.most <= row.kind.rows.filter(one => this.wanted(one)).indexOf(row)) row.kind.most += STEP;
        const panel = document.querySelector(".gm-panel");
        if (!go && panel.classList.contains("gm-folded")) panel.querySelector(".gm-fold").click();
      }
      this.fill();
      const told = this.list.querySelector("[aria-expanded=true].gm-fault");
      if (told) told.scrollIntoView({ block: go ? "nearest" : "center" });
    }

    /* ---------------------------------------------------------------- beside the map */

    build() {
      this.chips = make("div", { class: "gm-chips", role: "group" });
      gridmap.spoken(this.chips, "severities", "aria-label");
      this.filter = make("input", { type: "search" });
      gridmap.spoken(this.filter, "filterFaults", "placeholder");
      gridmap.spoken(this.filter, "filterFaults", "aria-label");
      this.filter.addEventListener("input", () => {
        this.text = this.filter.value.trim().toLowerCase();
        for (const kind of this.kinds) kind.most = STEP;
        this.fill(); this.show();
      });
      this.list = make("div", { class: "gm-faults" });
      this.fill();
      this.view.on("language", () => this.fill());
      const search = make("div", { class: "gm-search", role: "search" },
        icon("M9 3.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11z", "M13 13l4 4"), this.filter);
      this.chips.hidden = search.hidden = !this.count;     // nothing to choose from
      return [this.chips, search, this.list];
    }
    fill() {
      const held = document.activeElement && document.activeElement.dataset.key;
      this.chips.replaceChildren(...this.severities.map((one, k) => make("button",
        { type: "button", "aria-pressed": String(!this.shut.has(k)), "data-key": "chip" + k,
          onclick: () => { if (!this.shut.delete(k)) this.shut.add(k); this.fill(); this.show(); } },
        this.dot(one.colour), say(one.name), make("b", {}, gridmap.number(this.content.counts[k])))));
      const shown = this.kinds.map(kind => this.section(kind)).filter(Boolean);
      this.list.replaceChildren(...shown);
      if (!shown.length) {
        this.list.append(make("p", { class: this.count ? "gm-note" : "gm-fine" },
          this.count ? null : icon("M4 10.5l4 4 8-9"), word(this.count ? "noHit" : "noFaults")));
      }
      if (this.content.left) {
        this.list.append(make("p", { class: "gm-note" }, word("leftFaults", { n: gridmap.number(this.content.left) })));
      }
      if (this.content.coarse && this.content.rows.some(row => row.place)) this.list.append(make("p", { class: "gm-note" }, word("coarseFaults")));
      const again = held && document.querySelector(`.gm-panel [data-key="${held}"]`);
      if (again) again.focus();
    }
    dot(colour) {
      const dot = make("i", { class: "gm-dot" });
      dot.style.backgroundColor = colour;
      return dot;
    }
    section(kind) {
      const rows = kind.rows.filter(row => this.wanted(row));
      if (!rows.length) return null;
      const open = Boolean(kind.open || this.text);
      const total = rows.reduce((sum, row) => sum + row.rows, 0);
      const head = make("button", { type: "button", class: "gm-kind", "aria-expanded": String(open),
        "data-key": "kind" + kind.number, onclick: () => { kind.open = !open; this.fill(); } },
      this.dot(this.severities[kind.severity].colour), make("span", {}, say(kind.name)),
      make("b", {}, gridmap.number(total)), icon("M5 7.5l5 5 5-5"));
      if (!open) return make("section", {}, make("h2", {}, head));
      const items = rows.slice(0, kind.most).map(row => this.item(row));
      if (rows.length > kind.most) {
        items.push(make("li", {}, make("button", { type: "button", class: "gm-plain",
          "data-key": "more" + kind.number, onclick: () => { kind.most += STEP; this.fill(); } },
        word("moreFaults", { n: gridmap.number(rows.length - kind.most) }))));
      }
      return make("section", {}, make("h2", {}, head),
        make("p", { class: "gm-note" }, this.advice(rows[0])), make("ul", {}, ...items));
    }
    item(row) {
      const chosen = row.i === this.selected;
      const size = row.area === null ? "" : gridmap.format(row.area, { kind: "area" });
      const name = row.id || row.layer;
      const button = make("button", { type: "button", class: "gm-fault", "aria-expanded": String(chosen),
        "data-key": "fault" + row.i, onclick: () => this.select(chosen ? -1 : row.i, !chosen) },
      make("span", {}, name), make("small", {}, [row.place ? "" : word("noPlace"), size,
        row.rows > 1 ? word("rows", { n: gridmap.number(row.rows) }) : ""].filter(Boolean).join(" · ")));
      if (!chosen) return make("li", {}, button);
      const told = [["where", [row.layer, row.id].filter(Boolean).join(" · ")], ["areaOf", size],
        ["why", row.note], ["toDo", this.advice(row)]].filter(([, text]) => text);
      return make("li", { class: "gm-chosen" }, button, make("dl", {}, ...told.map(([key, text]) =>
        make("div", {}, make("dt", {}, word(key)), make("dd", {}, text)))));
    }
  }

  gridmap.buildFaults = function (view, content) {
    const faults = gridmap.faults = new Faults(view, content);
    const panel = document.querySelector(".gm-panel"), fold = panel.querySelector(".gm-fold");
    panel.classList.add("gm-wide");
    panel.querySelector(".gm-body").append(...faults.build());
    fold.hidden = false;
    if (matchMedia("(max-width: 640px)").matches) fold.click();
    faults.show();
    const home = gridmap.order.filter(layer => layer.about.home).map(layer => layer.bounds());
    const bounds = home.reduce((all, one) => all.extend(one), faults.bounds());
    if (bounds.isValid()) view.map.fitBounds(bounds, Object.assign({ animate: false, maxZoom: 17 }, view.room()));
    else {                                                 // no place at all: a list is all there is
      view.map.setView([0, 0], 2);
      document.body.classList.add("gm-list-only");
    }
    faults.size();
    view.map.on("zoomend", () => faults.size());
    view.map.on("click", () => { if (!gridmap.toolInUse && faults.selected >= 0) faults.select(-1, false); });
    view.map.getContainer().addEventListener("keydown", event => {
      if (event.key === "Escape" && faults.selected >= 0) faults.select(-1, false);
    });
  };
  gridmap.tellFaults = content => word("faults", { n: gridmap.number(
    content.counts.reduce((sum, one) => sum + one, 0)) });
})();
