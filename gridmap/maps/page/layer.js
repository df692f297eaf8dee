/* A layer is an ordinary Leaflet grid layer whose tiles come from the engine. */

(function () {
  "use strict";

  /* Panes from the ground up. Leaflet's own overlays start at 400, markers at 600. */
  const PANES = { land: 210, sites: 235, grids: 230, footprints: 240, lines: 250, edges: 255,
    borders: 260, reach: 265, points: 270, labels: 280 };

  /* The two sides of a comparison have panes of their own, so that each can be cut off. */
  function paneFor(map, role, side = "") {
    const name = ["gridmap", role, side].filter(Boolean).join("-");
    if (!map.getPane(name)) {
      map.createPane(name).style.zIndex = PANES[role] || 300;
      map.getPane(name).style.pointerEvents = "none";
    }
    return name;
  }

  /* A canvas that only shows the bitmaps of a worker draws nothing itself: half the time of the
     page. Where the engine works on the page, it gives canvases, which are copied. */
  function put(tile, bitmap) {
    const shows = typeof ImageBitmap !== "undefined" && bitmap instanceof ImageBitmap;
    if (!tile.pen && !bitmap) return;
    tile.pen = tile.pen || tile.getContext(shows ? "bitmaprenderer" : "2d");
    if (tile.pen.transferFromImageBitmap) { tile.pen.transferFromImageBitmap(bitmap || null); return; }
    tile.pen.clearRect(0, 0, tile.width, tile.height);
    if (bitmap) tile.pen.drawImage(bitmap, 0, 0);
  }

  const Canvas = L.GridLayer.extend({
    options: { tileSize: 512, updateWhenZooming: false, keepBuffer: 1, updateInterval: 80,
      minZoom: 0, maxZoom: 20 },

    /* Leaflet draws tiles at whole zooms and stretches them in between, which blurs text and
       shows seams. Ours can be drawn at any zoom: as Leaflet's own method, without rounding. */
    _setView(center, zoom, noPrune, noUpdate) {
      const { minZoom, maxZoom } = this.options;
      const tileZoom = zoom >= minZoom && zoom <= maxZoom ? zoom : undefined;
      if (!noUpdate) {
        this._tileZoom = tileZoom;
        this._updateLevels();
        this._resetGrid();
        if (tileZoom !== undefined) this._update(center);
        if (!noPrune) this._pruneTiles();
        this._noPrune = Boolean(noPrune);
      }
      this._setZoomTransforms(center, zoom);
    },
    /* Tiles of the zoom before stay until all new ones are there. */
    _pruneTiles() {
      if (!this._map) return;
      const tiles = Object.values(this._tiles);
      if (tiles.some(tile => tile.current && !tile.loaded)) return;
      for (const key of Object.keys(this._tiles)) {
        if (!this._tiles[key].current) this._removeTile(key);
      }
    },

    createTile(coords, done) {
      const size = this.options.tileSize;
      const ratio = Math.min(2, Math.ceil(window.devicePixelRatio || 1));
      const tile = L.DomUtil.create("canvas", "leaflet-tile");
      tile.width = tile.height = size * ratio;
      tile.style.width = tile.style.height = `${size}px`;
      const request = this.request(coords.z, coords.x * size, coords.y * size, size, ratio);
      if (!request) { setTimeout(() => done(null, tile)); return tile; }  // nothing lies there
      tile.request = request.number;
      tile.awaited = true;
      request.then(reply => { tile.awaited = false; put(tile, reply.bitmap); done(null, tile); },
        fault => { tile.awaited = false; done(fault, tile); });
      return tile;
    },
    _removeTile(key) {
      const tile = this._tiles[key];
      if (tile && tile.el.request) gridmap.cancel(this.lane, tile.el.request);
      L.GridLayer.prototype._removeTile.call(this, key);
    },
    /* Draw the tiles on the screen again, each in its place: no flicker. Tiles that are still
       on the way will be drawn as the layer looks now. */
    repaint() {
      const size = this.options.tileSize, jobs = [];
      for (const key in this._tiles) {
        const { el, coords } = this._tiles[key];
        if (coords.z !== this._tileZoom || el.awaited) continue;
        const ratio = el.width / size;
        const request = this.request(coords.z, coords.x * size, coords.y * size, size, ratio);
        if (request) jobs.push(request.then(reply => put(el, reply.bitmap)));
        else put(el, null);
      }
      return Promise.all(jobs);
    },
  });

  gridmap.Layer = Canvas.extend({
    initialize(id, meta, style, options) {
      Canvas.prototype.initialize.call(this, options);
      Object.assign(this, { id, meta, style, lane: options.lane, role: options.role,
        heavy: options.heavy, labels: options.labels, side: options.side, about: {}, texts: {} });
      if (options.twin) return;
      gridmap.layers[id] = this;
      gridmap.order.push(this);
    },
    /* The same layer for a second map: the engine has it already. */
    twin() {
      const twin = new gridmap.Layer(this.id, this.meta, this.style,
        Object.assign({}, this.options, { twin: true }));
      return Object.assign(twin, { about: this.about, loaded: this.loaded, texts: this.texts,
        of: this });
    },
    beforeAdd(map) { this.options.pane = paneFor(map, this.role, this.side); },
    onAdd(map) {
      this.feed();
      Canvas.prototype.onAdd.call(this, map);
      if (this.style.edges) (this.edges = this.edges || new Edges(this)).addTo(map);
      gridmap.labelsOf(map, this.side).show(this, true);
    },
    onRemove(map) {
      if (this.edges) this.edges.remove();
      gridmap.labelsOf(map, this.side).show(this, false);
      Canvas.prototype.onRemove.call(this, map);
    },
    /* The blocks are in the page from now on. A heavy layer is read when it is first shown. */
    arrive() {
      this.here = true;
      if (!this.heavy || this._map) this.feed();
    },
    feed() {
      if (this.loaded || !this.here) return;
      const { figures, labels, ...blocks } = gridmap.takeBlocks(this.id);
      this.figures = figures;
      this.texts.block = labels;
      this.loaded = gridmap.ask(this.lane, "load",
        { id: this.id, meta: this.meta, blocks, style: this.style });
      this.loaded.then(() => {
        this.fire("gridmapload");
        if (this._map && labels) gridmap.labelsOf(this._map, this.side).refresh();
      });
    },
    request(zoom, left, top, size, ratio, edges = false) {
      const scale = Math.pow(2, zoom - this.meta.zoom), margin = this.margin(zoom) + 16;
      const [west, north, east, south] = this.meta.box.map(side => side * scale);
      if (left > east + margin || left + size < west - margin ||
          top > south + margin || top + size < north - margin) return null;
      return gridmap.ask(this.lane, "tile", { id: this.id, zoom, left, top, size, ratio, edges });
    },
    /* How far the layer reaches beyond its own box, in pixels. */
    margin(zoom) {
      if (!this.meta.mostReach) return 0;
      const [, north, , south] = this.meta.box;
      const { lat } = gridmap.toPlace(this.meta.zoom, 0, (north + south) / 2);
      return this.meta.mostReach * 256 * Math.pow(2, zoom) /
        (40075016.686 * Math.cos(lat * Math.PI / 180));
    },
    restyle(style) {
      Object.assign(this.style, style);
      const done = gridmap.ask(this.lane, "style", { id: this.id, style });
      if (style.classes && this.labels && this._map) {
        gridmap.labelsOf(this._map, this.side).hide(this, style.classes.map(number => number === 255));
      }
      return done.then(() => (this._map ? this.repaint() : null));
    },
    bounds() { return gridmap.toBounds(this.meta.zoom, this.meta.box); },
    /* The box around chosen polygons. */
    async boundsOf(chosen) {
      const { box } = await gridmap.ask(this.lane, "box", { id: this.id, chosen });
      return gridmap.toBounds(this.meta.zoom, box);
    },
    polygonAt(place) {
      const [x, y] = gridmap.toPixel(this.meta.zoom, place);
      return gridmap.ask(this.lane, "polygon", { id: this.id, x, y }).then(reply => reply.i);
    },
    pointNear(place, zoom, pixels) {
      const [x, y] = gridmap.toPixel(this.meta.zoom, place);
      const radius = pixels * Math.pow(2, this.meta.zoom - zoom);
      return gridmap.ask(this.lane, "point", { id: this.id, x, y, radius })
        .then(reply => reply.found);
    },
    async outline(i) {
      const { rings, box } = await gridmap.ask(this.lane, "outline", { id: this.id, i });
      const place = ([x, y]) => gridmap.toPlace(this.meta.zoom, x, y);
      return { rings: rings.map(ring => ring.map(place)),
        bounds: gridmap.toBounds(this.meta.zoom, box) };
    },
  });

  /* The borders of a layer of grids, above the roads that lie on it. */
  const Edges = Canvas.extend({
    initialize(layer) { Canvas.prototype.initialize.call(this, {}); this.layer = layer; this.lane = layer.lane; },
    beforeAdd(map) { this.options.pane = paneFor(map, "edges", this.layer.side); },
    request(...frame) { return this.layer.request(...frame, true); },
  });

  /* All labels are one layer above the others, so that no point covers them. It needs only the
     texts and the places where they sit, and asks for them when a zoom first shows them. */
  const labelPanes = new Set();
  const Labels = Canvas.extend({
    initialize(side) {
      Canvas.prototype.initialize.call(this, {});
      Object.assign(this, { lane: "labels", side, shown: new Map() });
    },
    beforeAdd(map) { this.options.pane = paneFor(map, "labels", this.side); labelPanes.add(this); },
    onRemove(map) { labelPanes.delete(this); Canvas.prototype.onRemove.call(this, map); },
    request(zoom, left, top, size, ratio) {
      const shown = this.allShown().filter(({ labels }) => zoom >= labels.from && zoom <= labels.to);
      shown.forEach(send);
      const ready = shown.filter(({ texts }) => texts.sent).map(({ id }) => id);
      if (!ready.length) return null;
      return gridmap.ask(this.lane, "labels",
        { shown: ready, zoomOfLayer: 19, zoom, left, top, size, ratio });
    },
    /* Where two sides are compared, each draws the common labels with its own, so that none
       lies on another. */
    allShown() {
      const { "": common, ...sides } = this._map.gridmapLabels, own = [...this.shown.values()];
      if (this.side) return [...(common ? common.shown.values() : []), ...own];
      return Object.keys(sides).length ? [] : own;
    },
    show(layer, shown) {
      if (!layer.labels) return;
      if (shown) this.shown.set(layer.id, layer); else this.shown.delete(layer.id);
      this.refresh();
    },
    async hide(layer, hidden) {
      await gridmap.ask(this.lane, "labelSet", { set: { layer: layer.id, hidden } });
      this.refresh();
    },
    refresh() {
      clearTimeout(this.soon);
      this.soon = setTimeout(() => { if (this._map) this.repaint(); }, 30);
      if (!this.side && this._map) {
        for (const [side, labels] of Object.entries(this._map.gridmapLabels)) {
          if (side) labels.refresh();
        }
      }
    },
  });
  async function send(layer) {
    const { texts } = layer;
    if (texts.asked || !texts.block) return;
    texts.asked = true;
    const [{ places }, words] = await Promise.all([
      gridmap.ask(layer.lane, "anchors", { id: layer.id }), gridmap.unpack(texts.block)]);
    const set = Object.assign({ layer: layer.id, places, texts: words }, layer.labels);
    await gridmap.ask("labels", "labelSet", { set });
    texts.sent = true;
    labelPanes.forEach(labels => labels.refresh());
  }
  gridmap.labelsOf = function (map, side = "") {
    map.gridmapLabels = map.gridmapLabels || {};
    if (!map.gridmapLabels[side]) {
      map.gridmapLabels[side] = new Labels(side);
      map.whenReady(() => map.gridmapLabels[side].addTo(map));
    }
    return map.gridmapLabels[side];
  };
})();
