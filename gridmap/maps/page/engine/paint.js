/* One tile of a layer on a canvas. `tile` says: zoom, scale (tile pixels for one stored pixel),
   left and top (tile origin in tile pixels), size, ratio (device pixels for one pixel). */

function reach(tile, margin = 0) {
  const { left, top, size, scale } = tile;
  return [(left - margin) / scale, (top - margin) / scale,
    (left + size + margin) / scale, (top + size + margin) / scale];
}

/* Grey stripes: what is not known must not look like a value. */
function stripes(scope, context, colour) {
  const square = scope.canvas(8, 8), pen = square.getContext("2d");
  pen.fillStyle = colour; pen.fillRect(0, 0, 8, 8);
  pen.strokeStyle = "rgba(110,116,126,.55)"; pen.lineWidth = 1.2;
  pen.beginPath();
  for (const shift of [-8, 0, 8]) { pen.moveTo(shift, 8); pen.lineTo(shift + 8, 0); }
  pen.stroke();
  return context.createPattern(square, "repeat");
}

const painters = {
  tiling(layer, context, tile, scope) {
    const { style } = layer, near = reach(tile, 4), vertices = simplified(layer, tile.zoom);
    if (style.colours && !tile.edges) fillPolygons(layer, vertices, context, tile, near, scope);
    const lines = (tile.edges ? style.edges : style.strokes) || [];
    for (const line of lines) {
      if (tile.zoom < (line.from || 0) || tile.zoom > (line.to || 99)) continue;
      const path = arcPath(layer, vertices, tile, near, line.outer);
      context.strokeStyle = line.colour;
      context.lineWidth = line.width * (tile.zoom < 11 ? 0.6 : tile.zoom < 14 ? 0.8 : 1);
      context.setLineDash(tile.zoom < 9 ? [] : line.dash || []);
      context.lineJoin = tile.zoom < 12 ? "bevel" : "round";  // round joins cost twice as much
      context.stroke(path);
    }
    context.setLineDash([]);
  },

  points(layer, context, tile) {
    if (layer.style.reach) paintReach(layer, context, tile);
    else if (layer.style.symbols) paintSymbols(layer, context, tile);
    else paintDots(layer, context, tile);
  },

  shapes(layer, context, tile) {
    if (!layer.meta.closed) paintLines(layer, context, tile);
    else if (tile.zoom >= 14 || layer.style.whole) paintFootprints(layer, context, tile);
    else paintBuiltShare(layer, context, tile);
  },
};

function fillPolygons(layer, vertices, context, tile, near, scope) {
  const { style } = layer, { scale, left, top } = tile, paths = new Map();
  for (let i = 0; i < layer.meta.count; i++) {
    if (!meets(layer.boxes, i, ...near)) continue;
    const number = style.classes ? style.classes[i] : 0;
    if (number === 255) continue;
    let path = paths.get(number);
    if (!path) paths.set(number, path = new Path2D());
    const at = 4 * i, width = (layer.boxes[at + 2] - layer.boxes[at]) * scale;
    const height = (layer.boxes[at + 3] - layer.boxes[at + 1]) * scale;
    if (width < 2.5 && height < 2.5) {                     // too small to have a shape
      path.rect(layer.boxes[at] * scale - left, layer.boxes[at + 1] * scale - top, width, height);
      continue;
    }
    walk(layer, i, (x, y, starts) => {
      if (starts) path.moveTo(x * scale - left, y * scale - top);
      else path.lineTo(x * scale - left, y * scale - top);
    }, vertices);
  }
  for (const [number, path] of paths) {
    const colour = style.colours[number];
    context.fillStyle = number === style.unknown ? stripes(scope, context, colour) : colour;
    context.fill(path, "evenodd");
  }
}

/* Arcs used once are the rim of the tiling. */
function rim(layer) {
  if (layer.rim) return layer.rim;
  const uses = new Uint8Array(layer.meta.arcs);
  for (const reference of layer.references) uses[reference >> 1]++;
  return (layer.rim = uses.map(count => (count === 1 ? 1 : 0)));
}

function arcPath(layer, vertices, tile, near, outer) {
  const path = new Path2D(), { x, y, arcs } = vertices, { scale, left, top } = tile;
  const wanted = outer ? rim(layer) : null;
  for (let arc = 0; arc < layer.meta.arcs; arc++) {
    if ((wanted && !wanted[arc]) || !meets(layer.arcBoxes, arc, ...near)) continue;
    path.moveTo(x[arcs[arc]] * scale - left, y[arcs[arc]] * scale - top);
    for (let k = arcs[arc] + 1; k < arcs[arc + 1]; k++) {
      path.lineTo(x[k] * scale - left, y[k] * scale - top);
    }
  }
  return path;
}

/* Colours of a pixel buffer are alpha, blue, green, red from the highest byte down. */
function pixelColour(hex, alpha = 255) {
  const number = parseInt(hex.slice(1, 7), 16);
  const own = hex.length > 7 ? parseInt(hex.slice(7, 9), 16) : alpha;
  return (own << 24 | (number & 255) << 16 | (number >> 8 & 255) << 8 | number >> 16) >>> 0;
}

/* The most points on one pixel anywhere at this zoom, so that all tiles share one ramp. */
function densest(layer, zoom) {
  const known = layer.densest.get(zoom);
  if (known) return known;
  let most = 4;
  if (zoom > 11) {
    most = Math.max(4, Math.round(densest(layer, 11) / Math.pow(3, zoom - 11)));
  } else {
    const sums = new Map(), shift = 8 + 11 - zoom;         // a cell is one pixel at zoom 11
    for (let cell = 0; cell < layer.meta.cells; cell++) {
      const key = (layer.cellX[cell] >> shift) * 1048576 + (layer.cellY[cell] >> shift);
      const sum = (sums.get(key) || 0) + layer.starts[cell + 1] - layer.starts[cell];
      sums.set(key, sum);
      if (sum > most) most = sum;
    }
  }
  layer.densest.set(zoom, most);
  return most;
}

function paintDots(layer, context, tile) {
  const { style } = layer, size = tile.size * tile.ratio, scale = tile.scale * tile.ratio;
  const left = tile.left * tile.ratio, top = tile.top * tile.ratio;
  const radius = Math.max(0, Math.min(4, Math.floor(tile.zoom) - 14)), near = reach(tile, radius + 1);
  const image = context.createImageData(size, size), pixels = new Uint32Array(image.data.buffer);
  const colours = style.colours.map(colour => pixelColour(colour)), shown = style.shown;
  const counts = radius ? null : new Float32Array(size * size);
  const wholeCells = !radius && !shown && 256 * scale <= 1.001;
  let hits = 0;
  eachCell(layer, ...near, cell => {
    if (wholeCells) {
      addCell(counts, size, layer.cellX[cell] * scale - left, layer.cellY[cell] * scale - top,
        256 * scale, layer.starts[cell + 1] - layer.starts[cell]);
      hits++;
      return;
    }
    for (let k = layer.starts[cell]; k < layer.starts[cell + 1]; k++) {
      const kind = layer.classes[k];
      if (shown && !shown[kind]) continue;
      const x = Math.floor((layer.cellX[cell] + layer.x[k] + 0.5) * scale - left);
      const y = Math.floor((layer.cellY[cell] + layer.y[k] + 0.5) * scale - top);
      if (radius) { disc(pixels, size, x, y, radius, colours[kind]); hits++; continue; }
      if (x < 0 || y < 0 || x >= size || y >= size) continue;
      counts[y * size + x]++; hits++;
    }
  });
  if (!hits) return;
  if (counts) colourCounts(counts, pixels, style.ramp, densest(layer, Math.floor(tile.zoom)));
  context.putImageData(image, 0, 0);
}

/* A cell is at most as wide as a pixel, but lies across up to four of them: each gets its share
   of the points, or else some pixels would hold two cells and their neighbours one, which shows
   as stripes. A few points stay one dot. */
function addCell(counts, size, west, north, side, count) {
  const x = Math.floor(west), y = Math.floor(north);
  const across = Math.max(0, west + side - x - 1) / side;
  const down = Math.max(0, north + side - y - 1) / side;
  const add = (atX, atY, share) => {
    if (share && atX >= 0 && atY >= 0 && atX < size && atY < size) counts[atY * size + atX] += share;
  };
  if (count < 8) { add(x + Math.round(across), y + Math.round(down), count); return; }
  add(x, y, count * (1 - across) * (1 - down));
  add(x + 1, y, count * across * (1 - down));
  add(x, y + 1, count * (1 - across) * down);
  add(x + 1, y + 1, count * across * down);
}

function disc(pixels, size, x, y, radius, colour) {
  for (let down = -radius; down <= radius; down++) {
    const row = y + down;
    if (row < 0 || row >= size) continue;
    const half = Math.abs(down) === radius && radius > 1 ? radius - 1 : radius;
    for (let column = Math.max(0, x - half); column <= Math.min(size - 1, x + half); column++) {
      pixels[row * size + column] = colour;
    }
  }
}

/* Counts on a logarithmic ramp. */
function colourCounts(counts, pixels, ramp, most) {
  const colours = ramp.map(colour => pixelColour(colour)), top = colours.length - 1;
  const unit = top / Math.log1p(most);
  for (let i = 0; i < counts.length; i++) {
    if (counts[i]) pixels[i] = colours[Math.min(top, Math.round(Math.log1p(counts[i]) * unit))];
  }
}

function eachPoint(layer, tile, margin, visit) {
  const { style } = layer, { scale, left, top } = tile;
  eachCell(layer, ...reach(tile, margin), cell => {
    for (let k = layer.starts[cell]; k < layer.starts[cell + 1]; k++) {
      const kind = layer.classes[k];
      if (style.shown && !style.shown[kind]) continue;
      visit((layer.cellX[cell] + layer.x[k] + 0.5) * scale - left,
        (layer.cellY[cell] + layer.y[k] + 0.5) * scale - top, kind, k);
    }
  });
}

/* Few points: round symbols with a white rim, one path for each kind. */
function paintSymbols(layer, context, tile) {
  const radius = tile.zoom < 10 ? 2 : tile.zoom < 12 ? 2.6 : tile.zoom < 14 ? 3.4 : tile.zoom < 16 ? 4.5 : 6;
  const paths = layer.style.colours.map(() => new Path2D());
  eachPoint(layer, tile, radius + 2, (x, y, kind) => {
    paths[kind].moveTo(x + radius, y);
    paths[kind].arc(x, y, radius, 0, 2 * Math.PI);
  });
  context.strokeStyle = "#fff"; context.lineWidth = tile.zoom < 12 ? 0.8 : 1.5;
  paths.forEach((path, kind) => {
    context.fillStyle = layer.style.colours[kind];
    context.stroke(path); context.fill(path);
  });
}

/* How far assets reach: one path for each kind, so that overlaps do not add up. */
function paintReach(layer, context, tile) {
  const paths = layer.style.colours.map(() => new Path2D());
  const world = 256 * Math.pow(2, tile.zoom), most = layer.meta.mostReach;
  const latitude = 2 * Math.atan(Math.exp(Math.PI * (1 - 2 * (tile.top + tile.size / 2) / world))) -
    Math.PI / 2;
  const metre = world / (40075016.686 * Math.cos(latitude));
  eachPoint(layer, tile, most * metre, (x, y, kind, k) => {
    const radius = layer.radii[k] / 10 * metre;
    if (!radius) return;
    paths[kind].moveTo(x + radius, y);
    paths[kind].arc(x, y, radius, 0, 2 * Math.PI);
  });
  paths.forEach((path, kind) => {
    context.fillStyle = layer.style.colours[kind]; context.globalAlpha = 0.16;
    context.fill(path);
    context.strokeStyle = layer.style.colours[kind]; context.globalAlpha = 0.5;
    context.lineWidth = 0.8;
    if (tile.zoom >= 13) context.stroke(path);
  });
  context.globalAlpha = 1;
}

function shapePaths(layer, tile, margin) {
  const { scale, left, top } = tile, apart = 0.6 / scale;
  const paths = layer.style.colours.map(() => new Path2D());
  eachShape(layer, ...reach(tile, margin), i => {
    const path = paths[layer.classes[i]];
    for (let run = layer.runs[i]; run < layer.runs[i + 1]; run++) {
      const last = layer.starts[run + 1] - 1;
      let atX = 0, atY = 0;
      for (let k = layer.starts[run]; k <= last; k++) {
        const x = layer.x[k], y = layer.y[k], first = k === layer.starts[run];
        if (!first && k < last && Math.abs(x - atX) + Math.abs(y - atY) < apart) continue;
        if (first) path.moveTo(x * scale - left, y * scale - top);
        else path.lineTo(x * scale - left, y * scale - top);
        atX = x; atY = y;
      }
      if (layer.meta.closed) path.closePath();
    }
  });
  return paths;
}

/* All casings first, then all lines, the least important class first. */
function paintLines(layer, context, tile) {
  const paths = shapePaths(layer, tile, 12), { widths, colours, casings, from } = layer.style;
  const grow = Math.pow(1.28, tile.zoom - 13);
  const order = widths.map((_, kind) => kind).reverse().filter(kind => tile.zoom >= from[kind]);
  const width = kind => Math.max(0.6, Math.min(14, widths[kind] * grow));
  context.lineJoin = context.lineCap = "round";
  for (const kind of order) {
    if (!casings[kind]) continue;
    context.strokeStyle = casings[kind]; context.lineWidth = width(kind) + (tile.zoom < 12 ? 0.8 : 1.4);
    context.stroke(paths[kind]);
  }
  for (const kind of order) {
    context.strokeStyle = colours[kind]; context.lineWidth = width(kind);
    context.stroke(paths[kind]);
  }
}

function paintFootprints(layer, context, tile) {
  const { style } = layer;
  shapePaths(layer, tile, 2).forEach((path, kind) => {
    context.fillStyle = style.colours[kind];
    context.globalAlpha = style.whole ? 0.6 : 1;
    context.fill(path, "evenodd");
    context.globalAlpha = 1;
    if (tile.zoom < (style.whole ? 13 : 16)) return;
    context.strokeStyle = "rgba(60,50,40,.55)"; context.lineWidth = 0.6;
    context.stroke(path);
  });
}

/* From afar: the share of each pixel that is built up. */
function paintBuiltShare(layer, context, tile) {
  const { size, scale, left, top, ratio } = tile, share = new Float32Array(size * size);
  let hits = 0;
  eachShape(layer, ...reach(tile), i => {
    const [west, north, east, south] = layer.boxes.subarray(4 * i, 4 * i + 4);
    const x = Math.floor((west + east) / 2 * scale - left);
    const y = Math.floor((north + south) / 2 * scale - top);
    if (x < 0 || y < 0 || x >= size || y >= size) return;
    share[y * size + x] += (east - west) * (south - north) * scale * scale; hits++;
  });
  if (!hits) return;
  const wide = size * ratio, image = context.createImageData(wide, wide);
  const pixels = new Uint32Array(image.data.buffer), base = pixelColour(layer.style.colours[0], 0);
  for (let y = 0; y < wide; y++) {
    for (let x = 0; x < wide; x++) {
      const built = share[Math.floor(y / ratio) * size + Math.floor(x / ratio)];
      if (built) pixels[y * wide + x] = (base | Math.min(220, 50 + built * 320) << 24) >>> 0;
    }
  }
  context.putImageData(image, 0, 0);
}
