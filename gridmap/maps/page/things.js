/* Single things: a click tells what lies there, and search finds them by their texts. */

(function () {
  "use strict";
  const { make, icon, word, say } = gridmap;
  const REACH = 9;                                         // pixels between a click and a point
  const MOST = 4;                                          // things told at one place
  const fold = text => text.normalize("NFKC").toLowerCase();

  /* What a layer tells: places in pixels of its zoom, kinds, columns of values. */
  class Told {
    constructor({ x, y, kinds, columns }) {
      Object.assign(this, { x, y, kinds, columns, texts: columns.filter(one => one.kind === "text") });
      for (let i = 1; i < x.length; i++) { x[i] += x[i - 1]; y[i] += y[i - 1]; }
    }
    /* Rows within some pixels of a place that lie where the nearest one lies. */
    near([atX, atY], apart) {
      let least = apart * apart, rows = [];
      this.x.forEach((x, i) => {
        const far = (x - atX) ** 2 + (this.y[i] - atY) ** 2;
        if (far > least) return;
        if (far < least) rows = [];
        least = far; rows.push(i);
      });
      return rows;
    }
    search(wanted, most) {
      this.folded = this.folded || this.x.map((_, i) =>
        this.texts.map(({ values }) => fold(values[i] || "")).join("\n"));
      const first = [], later = [];
      for (let i = 0; i < this.folded.length && first.length < most; i++) {
        const at = this.folded[i].indexOf(wanted);
        if (at === 0) first.push(i); else if (at > 0 && later.length < most) later.push(i);
      }
      return [...first, ...later].slice(0, most);
    }
    name(i) { return this.texts.map(({ values }) => values[i]).filter(Boolean).join(" · "); }
    rows(i) {
      return this.columns.filter(({ values }) => values[i] !== null)
        .map(column => [say(column.title), column.kind === "text" ? column.values[i] :
          gridmap.write(column.values[i], column)]);
    }
  }
  gridmap.write = (value, column) => (column.kind === "length" ? `${gridmap.number(value)} m` :
    column.kind === "minutes" ? `${gridmap.number(value)} min` : gridmap.format(value, column));

  const known = new Map();
  function toldOf(layer) {
    if (!known.has(layer.id)) {
      const { told } = gridmap.takeBlocks("told-" + layer.id);
      if (!told && document.readyState === "loading") return Promise.resolve(null);
      known.set(layer.id, told ? gridmap.unpack(told).then(content => new Told(content)) :
        Promise.resolve(null));
    }
    return known.get(layer.id);
  }

  /* ------------------------------------------------------------------ a click */

  /* Points are drawn as dots from zoom 15 on, few ones as symbols at every zoom. */
  const canBeHit = (layer, zoom) => layer.about.kinds && (layer.role === "sites" ||
    (layer.role === "footprints" && zoom >= 14) ||
    (layer.role === "points" && (layer.style.symbols || zoom >= 15)));

  async function hit(layer, map, place) {
    const [x, y] = gridmap.toPixel(layer.meta.zoom, place), zoom = map.getZoom();
    const scale = Math.pow(2, layer.meta.zoom - zoom), told = await toldOf(layer);
    const found = layer.role === "points" ? await layer.pointNear(place, zoom, REACH) :
      (await gridmap.ask(layer.lane, "shape", { id: layer.id, x, y })).found;
    if (!found) return [];
    const rows = told ? told.near(found.place, layer.role === "points" ? Math.max(2, scale) : 3) : [];
    const same = rows.filter(i => told.kinds[i] === found.class);
    const at = gridmap.toPlace(layer.meta.zoom, ...found.place);
    const kind = layer.about.kinds[found.class];
    if (!same.length) return [{ kind, rows: [], at: layer.role === "points" ? at : place }];
    return same.map(i => ({ kind, rows: told.rows(i), at: layer.role === "points" ? at : place }));
  }
  /* The things under a click, those drawn last first. */
  gridmap.thingsAt = async function (map, place) {
    const layers = gridmap.order.filter(layer => map.hasLayer(layer) && canBeHit(layer, map.getZoom()));
    const found = await Promise.all(layers.reverse().map(layer => hit(layer, map, place)));
    return found.flat();
  };
  gridmap.tellThings = function (view, map, things, grid) {
    const close = make("button", { type: "button", class: "gm-close", "aria-label": word("close"),
      onclick: () => map.closePopup() }, icon("M5 5l10 10", "M15 5L5 15"));
    const line = ([name, text]) => make("div", {}, make("dt", {}, name), make("dd", {}, text));
    const tell = ({ kind, rows }) => {
      const mark = make("i", { class: "gm-mark gm-mark-" + kind.mark });
      mark.style.color = kind.colour;
      return make("section", {}, make("h3", {}, mark, say(kind.name)), make("dl", {}, ...rows.map(line)));
    };
    const box = make("div", { class: "gm-things" }, close, ...things.slice(0, MOST).map(tell),
      things.length > MOST ? make("p", { class: "gm-note" },
        word("moreHere", { n: gridmap.number(things.length - MOST) })) : null,
      grid ? make("dl", {}, line([word("inGrid"), grid])) : null);
    box.setAttribute("aria-live", "polite");
    const { paddingTopLeft = [12, 12] } = view.room();
    L.popup({ closeButton: false, className: "gm-popup", maxWidth: 270, minWidth: 150, offset: [0, -3],
      autoPanPaddingTopLeft: [paddingTopLeft[0] - 20, 66], autoPanPaddingBottomRight: [12, 40] })
      .setLatLng(things[0].at).setContent(box).openOn(map);
  };

  /* ------------------------------------------------------------------ search */

  const searched = () => gridmap.order.filter(layer => layer.about.searched);
  gridmap.hasTexts = () => searched().length > 0;
  gridmap.searchThings = async function (text, most) {
    const wanted = fold(text.trim()), found = [];
    if (!wanted) return found;
    for (const layer of searched()) {
      const told = await toldOf(layer);
      if (told) found.push(...told.search(wanted, most - found.length).map(i => ({ layer, told, i })));
      if (found.length >= most) break;
    }
    return found;
  };
  gridmap.showThing = async function (view, { layer, told, i }) {
    const { map } = view, at = gridmap.toPlace(layer.meta.zoom, told.x[i], told.y[i]);
    const grids = view.figures && view.figures.layer;
    const grid = grids ? await grids.polygonAt(at) : -1;
    view.goTo(L.latLngBounds([at, at]), 17);
    if (grid >= 0) view.select(grid);
    gridmap.tellThings(view, map, [{ kind: layer.about.kinds[told.kinds[i]], rows: told.rows(i), at }],
      grid >= 0 ? view.figures.codes[grid] : "");
  };
})();
