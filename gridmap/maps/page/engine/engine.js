/* The engine answers requests: load, style, tile, labels, polygon, point, outline. It runs in a
   worker, or on the page itself where the browser has no OffscreenCanvas. `scope` gives it
   canvas(width, height), bitmap(canvas) and post(reply, transfer). */

const layers = new Map(), waiting = new Map(), cancelled = new Set(), queue = [];
let busy = false;

function frameOf(request, zoomOfLayer) {
  return { zoom: request.zoom, scale: Math.pow(2, request.zoom - zoomOfLayer), left: request.left,
    top: request.top, size: request.size, ratio: request.ratio, edges: request.edges };
}
function freshCanvas(request) {
  return scope.canvas(request.size * request.ratio, request.size * request.ratio);
}

const answers = {
  async text({ block }) {
    return { content: JSON.parse(new TextDecoder().decode(await inflate(block))) };
  },
  async load({ id, meta, blocks, style }) {
    const layer = meta.of ? Object.assign({}, layers.get(meta.of)) :
      await decoders[meta.kind](meta, blocks);
    layers.set(id, Object.assign(layer, { meta, style }));
    for (const request of waiting.get(id) || []) queue.push(request);
    waiting.delete(id);
    return {};
  },
  anchors({ id }) { return { places: anchors(layers.get(id)) }; },
  labelSet({ set }) {
    labelSets.set(set.layer, Object.assign(labelSets.get(set.layer) || {}, set));
    return {};
  },
  style({ id, style }) {
    const layer = layers.get(id);
    layer.style = Object.assign({}, layer.style, style);
    return {};
  },
  tile(request) {
    const layer = layers.get(request.id);
    if (layer.style.waits && !request.edges) return {};    // its colours are still on the way
    const canvas = freshCanvas(request), context = canvas.getContext("2d");
    const dots = layer.meta.kind === "points" && !layer.style.symbols && !layer.style.reach;
    if (!dots) context.scale(request.ratio, request.ratio);
    painters[layer.meta.kind](layer, context, frameOf(request, layer.meta.zoom), scope);
    return { bitmap: scope.bitmap(canvas) };
  },
  labels(request) {
    const sets = setsAt(request.zoom, request.shown);
    if (!sets.length) return {};
    const canvas = freshCanvas(request), context = canvas.getContext("2d");
    context.scale(request.ratio, request.ratio);
    paintLabels(sets, context, frameOf(request, request.zoomOfLayer));
    return { bitmap: scope.bitmap(canvas) };
  },
  polygon({ id, x, y }) { return { i: polygonAt(layers.get(id), x, y) }; },
  point({ id, x, y, radius }) {
    const layer = layers.get(id);
    return { found: pointNear(layer, x, y, radius, layer.style.shown) };
  },
  box({ id, chosen }) {
    const { boxes } = layers.get(id), around = emptyBoxes(1);
    chosen.forEach((wanted, i) => {
      if (wanted) stretch(around, 0, ...boxes.subarray(4 * i, 4 * i + 4));
    });
    return { box: Array.from(around) };
  },
  outline({ id, i }) {
    const layer = layers.get(id), rings = [];
    walk(layer, i, (x, y, starts) => {
      if (starts) rings.push([]);
      rings[rings.length - 1].push([x, y]);
    });
    return { rings, box: Array.from(layer.boxes.subarray(4 * i, 4 * i + 4)) };
  },
};

async function answer(request) {
  if (cancelled.delete(request.number)) return;
  const needed = request.ask === "load" ? request.meta.of : request.id;
  if (needed && !layers.has(needed)) {                     // its layer is still on the way
    if (!waiting.has(needed)) waiting.set(needed, []);
    waiting.get(needed).push(request);
    return;
  }
  let reply;
  const start = performance.now();
  try {
    reply = await answers[request.ask](request);
  } catch (fault) {
    reply = { fault: String((fault && fault.stack) || fault) };
  }
  reply.number = request.number;
  reply.took = performance.now() - start;
  scope.post(reply, reply.bitmap && scope.transfers ? [reply.bitmap] : []);
}

/* Questions overtake tiles, and a cancelled tile is dropped before it is drawn. Where labels sit
   is found after the tiles that wait already. */
const draws = request => ["tile", "labels", "anchors"].includes(request.ask);
scope.receive = request => {
  if (request.ask === "cancel") { cancelled.add(request.number); return; }
  const firstDraw = draws(request) ? -1 : queue.findIndex(draws);
  queue.splice(firstDraw < 0 ? queue.length : firstDraw, 0, request);
  if (!busy) work();
};

async function work() {
  busy = true;
  const request = queue.shift();
  if (request) await answer(request);
  if (queue.length) scope.later(work); else busy = false;
}
