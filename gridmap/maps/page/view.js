/* What the page shows now: figure, classes, selection. Parts of the page listen to it. */

gridmap.View = class {
  constructor(map, page) {
    Object.assign(this, { map, page, sheets: [], figures: null, column: null, method: null, own: null,
      place: "", inside: null, hidden: new Set(), selected: -1 });
    this.listeners = {};
  }
  on(event, listener) { (this.listeners[event] = this.listeners[event] || []).push(listener); }
  tell(event) { for (const listener of this.listeners[event] || []) listener(this); }

  breaks() {
    if (this.column.kind === "text") return [];
    return this.method === "own" ? this.own : this.column.breaks[this.method];
  }
  /* Sheets are the figures of one layer, or of the two sides of a comparison. The last one is
     what table and search are about at first. */
  show(sheets) {
    this.sheets = sheets;
    this.figures = sheets[sheets.length - 1];
    const { about } = this.figures.layer;
    this.setFigure(about.figure, about.method);
  }
  columnOf(figures) { return figures.byName.get(this.column.name); }
  setFigure(name, method) {
    this.column = this.figures.byName.get(name) || this.figures.columns[0];
    const methods = Object.keys(this.column.breaks || {});
    this.method = [method, this.method, ...methods].find(one => methods.includes(one));
    this.hidden.clear();
    this.recolour();
  }
  setMethod(method, own) {
    this.method = method;
    if (own) this.own = own;
    this.hidden.clear();
    this.recolour();
  }
  /* Show only the grids of one territory ("" for all), and go there. */
  async setPlace(path, go = true) {
    this.place = path;
    this.inside = path ? this.figures.within(path) : null;
    this.hidden.clear();
    this.recolour();
    if (go) this.goTo(path ? await this.figures.layer.boundsOf(this.inside) :
      this.figures.layer.bounds(), 16);
  }
  toggle(entry) {
    if (!this.hidden.delete(entry)) this.hidden.add(entry);
    this.recolour();
  }
  recolour() {
    for (const figures of this.sheets) {
      const inside = this.place ? figures.within(this.place) : null;
      figures.now = figures.classes(this.columnOf(figures), this.breaks(), inside);
      const { entries, numbers, unknown } = figures.now;
      const classes = numbers.map(number => (this.hidden.has(number) ? 255 : number));
      figures.layer.restyle({ waits: false, classes, unknown,
        colours: entries.map(entry => entry.colour) });
    }
    this.classes = this.figures.now;
    this.tell("figure");
  }

  /* Select a grid (-1: none); `go` moves the map to it, beside the panel. */
  async select(i, go, figures = this.figures) {
    this.selected = i;
    if (i >= 0 && figures !== this.figures) {
      this.figures = figures; this.classes = figures.now;
      this.column = this.columnOf(figures);
      this.tell("figure");
    }
    this.tell("select");
    if (this.outline) { this.outline.remove(); this.outline = null; }
    this.selectedBounds = null;
    if (i < 0) return;
    const { rings, bounds } = await figures.layer.outline(i);
    if (this.selected !== i) return;
    this.selectedBounds = bounds;
    const line = { fill: false, interactive: false, smoothFactor: 0.5 };
    this.outline = L.layerGroup([
      L.polygon(rings, Object.assign({ color: "#fff", weight: 8, opacity: 0.9 }, line)),
      L.polygon(rings, Object.assign({ color: "#111827", weight: 3.5 }, line)),
    ]).addTo(this.map);
    if (go) this.goTo(bounds, 16);
  }
  /* The figures that lie under a place of the container: those of its side of the divider. */
  figuresAt(point) {
    if (this.sheets.length < 2 || this.split === undefined) return this.figures;
    return point.x < this.split ? this.sheets[0] : this.sheets[1];
  }
  goTo(bounds, maxZoom) {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.map.fitBounds(bounds, Object.assign({ maxZoom, animate: !still }, this.room()));
  }
  /* The part of the map that no panel covers. */
  room() {
    const frame = this.map.getContainer().getBoundingClientRect();
    const panel = document.querySelector(".gm-panel");
    const box = panel && panel.getBoundingClientRect();
    if (!box) return { padding: [40, 40] };
    if (box.width > frame.width * 0.7) {                     // a sheet at the lower edge
      return { paddingTopLeft: [24, 64], paddingBottomRight: [24, frame.bottom - box.top + 24] };
    }
    return { paddingTopLeft: [box.right - frame.left + 32, 40], paddingBottomRight: [56, 40] };
  }
};
