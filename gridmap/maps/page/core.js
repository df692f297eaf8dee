/* The one global of a page: `gridmap`. It holds layers, words and the way to the engine. */

window.gridmap = (function () {
  "use strict";

  const gridmap = { layers: {}, order: [], maps: [] };

  /* Time spent on each kind of request, in milliseconds: read it in the console. */
  gridmap.times = {};
  gridmap.took = ({ about }, milliseconds) => {
    const time = gridmap.times[about] = gridmap.times[about] || { count: 0, sum: 0, most: 0 };
    time.count++; time.sum += milliseconds; time.most = Math.max(time.most, milliseconds);
  };

  /* ------------------------------------------------------------------ the engine */

  const pending = new Map(), lanes = new Map();
  let number = 0;

  function settle(reply) {
    const promise = pending.get(reply.number);
    pending.delete(reply.number);
    if (!promise) {
      if (reply.bitmap && reply.bitmap.close) reply.bitmap.close();
      return;
    }
    gridmap.took(promise, reply.took);
    if (reply.fault) { console.error(reply.fault); promise.fail(new Error(reply.fault)); }
    else promise.done(reply);
  }

  const workerStart = "const turn = new MessageChannel(); let next;" +
    "turn.port1.onmessage = () => next();" +
    "const scope = { transfers: true, post: (reply, moved) => postMessage(reply, moved)," +
    "  canvas: (width, height) => new OffscreenCanvas(width, height)," +
    "  bitmap: canvas => canvas.transferToImageBitmap()," +
    "  later: work => { next = work; turn.port2.postMessage(0); } };" +
    "gridmapEngine(scope); onmessage = event => scope.receive(event.data);";

  /* A worker that never says anything was refused (some browsers forbid those of a file):
     what was asked of it is asked of an engine on the page. */
  function startWorker() {
    const code = ["const gridmapEngine = ", String(window.gridmapEngine), ";", workerStart];
    const address = URL.createObjectURL(new Blob(code, { type: "text/javascript" }));
    const worker = new Worker(address), asked = [];
    let here = null, heard = false;
    worker.onmessage = event => {
      if (!heard) { heard = true; asked.length = 0; URL.revokeObjectURL(address); }
      settle(event.data);
    };
    worker.onerror = event => {
      if (heard || here) return;
      if (event.preventDefault) event.preventDefault();
      gridmap.drawsInWorker = false;
      here = startHere();
      asked.forEach(here);
    };
    return request => {
      if (here) { here(request); return; }
      if (!heard) asked.push(request);
      worker.postMessage(request);
    };
  }

  /* Without workers that can draw, the same engine works on the page itself. */
  function startHere() {
    const scope = {
      transfers: false, post: settle, bitmap: canvas => canvas, later: work => setTimeout(work, 0),
      canvas: (width, height) => Object.assign(document.createElement("canvas"), { width, height }),
    };
    window.gridmapEngine(scope);
    return request => scope.receive(request);
  }

  function canDraw() {
    try { return Boolean(new OffscreenCanvas(1, 1).getContext("2d").fill && window.Worker); }
    catch (absent) { return false; }
  }
  gridmap.drawsInWorker = canDraw();

  function lane(name) {
    if (!lanes.has(name)) {
      let send = null;
      if (gridmap.drawsInWorker) {
        try { send = startWorker(); } catch (refused) { gridmap.drawsInWorker = false; }
      }
      lanes.set(name, send || startHere());
    }
    return lanes.get(name);
  }
  /* The workers that every map needs start while the rest of the page is read. */
  gridmap.warm = names => { if (gridmap.drawsInWorker) names.forEach(lane); };

  gridmap.ask = function (laneName, ask, content) {
    const request = Object.assign({ ask, number: ++number }, content);
    const about = `${ask} ${content.id || ""}`;
    const promise = new Promise((done, fail) => pending.set(request.number, { done, fail, about }));
    lane(laneName)(request);
    promise.number = request.number;
    return promise;
  };
  /* How many answers are still on the way. */
  gridmap.awaited = () => pending.size;
  gridmap.cancel = function (laneName, requestNumber) {
    if (pending.delete(requestNumber)) lane(laneName)({ ask: "cancel", number: requestNumber });
  };

  /* Blocks stand in the page as text and are taken out once they are read. */
  gridmap.takeBlocks = function (id) {
    const blocks = {};
    document.querySelectorAll('script[type="application/gridmap"]').forEach(element => {
      const [owner, name] = element.id.split(":");
      if (owner !== id) return;
      blocks[name] = element.textContent;
      element.remove();
    });
    return blocks;
  };
  gridmap.unpack = block => gridmap.ask("labels", "text", { block }).then(reply => reply.content);

  /* ------------------------------------------------------------------ places */

  gridmap.toPlace = function (zoom, x, y) {
    const world = 256 * Math.pow(2, zoom);
    return L.latLng(Math.atan(Math.sinh(Math.PI * (1 - 2 * y / world))) * 180 / Math.PI,
      x / world * 360 - 180);
  };
  gridmap.toPixel = function (zoom, place) {
    const world = 256 * Math.pow(2, zoom), sine = Math.sin(place.lat * Math.PI / 180);
    return [(place.lng + 180) / 360 * world,
      (0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)) * world];
  };
  gridmap.toBounds = function (zoom, [west, north, east, south]) {
    return L.latLngBounds(gridmap.toPlace(zoom, west, south), gridmap.toPlace(zoom, east, north));
  };

  /* ------------------------------------------------------------------ words */

  gridmap.language = "en";
  gridmap.words = {};
  /* A word is {en, zh} or plain text, which is the same in both. */
  gridmap.say = word => (word && typeof word === "object" ? word[gridmap.language] || word.en : word);
  gridmap.word = (key, values) => {
    let text = gridmap.say(gridmap.words[key]) || key;
    for (const name in values || {}) text = text.replace(`{${name}}`, values[name]);
    return text;
  };

  /* Make an element. Values only ever become text: nothing is parsed as HTML. */
  gridmap.make = function (tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const name in attributes || {}) {
      const value = attributes[name];
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value !== undefined) element.setAttribute(name, value);
    }
    element.append(...children.filter(child => child !== null && child !== undefined));
    return element;
  };
  const SVG = "http://www.w3.org/2000/svg";
  /* An icon out of path strings on a 20 by 20 square. */
  gridmap.icon = function (...paths) {
    const icon = document.createElementNS(SVG, "svg");
    icon.setAttribute("viewBox", "0 0 20 20"); icon.setAttribute("class", "gm-icon");
    icon.setAttribute("aria-hidden", "true");
    for (const path of paths) {
      const part = document.createElementNS(SVG, "path");
      part.setAttribute("d", path); icon.append(part);
    }
    return icon;
  };

  /* ------------------------------------------------------------------ numbers */

  const locale = () => (gridmap.language === "zh" ? "zh-CN" : "en-GB");
  gridmap.number = (value, digits = 0) =>
    value.toLocaleString(locale(), { maximumFractionDigits: digits });

  const significant = value => {
    const size = Math.abs(value);
    return gridmap.number(value, size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
  };
  /* A value of a figure as a person writes it. */
  gridmap.format = function (value, column) {
    if (value === null || value === undefined) return gridmap.word("unknown");
    if (column.kind === "text") return gridmap.say(column.names && column.names[value]) || value;
    if (column.kind === "share") return gridmap.number(100 * value, 1) + " %";
    if (column.kind === "area") {
      if (Math.abs(value) >= 1e6) return significant(value / 1e6) + " km²";
      return Math.abs(value) >= 1e4 ? significant(value / 1e4) + " ha" : significant(value) + " m²";
    }
    return column.kind === "count" && Number.isInteger(value) ? gridmap.number(value) :
      significant(value);
  };

  gridmap.warm(["grids", "labels"]);
  return gridmap;
})();
