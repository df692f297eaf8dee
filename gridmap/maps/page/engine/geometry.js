/* Walking along shapes, and the questions a mouse asks. */

/* Vertices of a tiling that matter at a zoom: an arc keeps its ends, and in between only what
   is more than 0.7 pixels from the last one kept. Both neighbours use the same arc, so that
   they cannot drift apart at any zoom. */
function simplified(layer, zoom) {
  const known = layer.simple.get(zoom);
  if (known) return known;
  const apart = 0.7 * Math.pow(2, layer.meta.zoom - zoom);
  if (apart < 1) return layer;
  const { x, y, arcs } = layer, count = arcs.length - 1;
  const keptX = new Int32Array(x.length), keptY = new Int32Array(x.length);
  const keptArcs = new Uint32Array(count + 1);
  let size = 0;
  for (let arc = 0; arc < count; arc++) {
    const last = arcs[arc + 1] - 1;
    let atX = 0, atY = 0;
    for (let k = arcs[arc]; k <= last; k++) {
      const far = Math.abs(x[k] - atX) + Math.abs(y[k] - atY) > apart;
      if (k > arcs[arc] && k < last && !far) continue;
      keptX[size] = atX = x[k]; keptY[size] = atY = y[k]; size++;
    }
    keptArcs[arc + 1] = size;
  }
  const simple = { x: keptX.slice(0, size), y: keptY.slice(0, size), arcs: keptArcs };
  if (layer.simple.size > 5) layer.simple.delete(layer.simple.keys().next().value);
  layer.simple.set(zoom, simple);
  return simple;
}

/* Visit the vertices of polygon i: visit(x, y, startsRing). The closing vertex is visited. */
function walk(layer, i, visit, vertices = layer) {
  const { x, y, arcs } = vertices, { polygons, rings, references } = layer;
  for (let ring = polygons[i]; ring < polygons[i + 1]; ring++) {
    for (let k = rings[ring]; k < rings[ring + 1]; k++) {
      const arc = references[k] >> 1, first = arcs[arc], last = arcs[arc + 1] - 1;
      const starts = k === rings[ring], skip = starts ? 0 : 1;  // arcs share their end vertices
      if (references[k] & 1) {
        for (let j = last - skip; j >= first; j--) visit(x[j], y[j], starts && j === last);
      } else {
        for (let j = first + skip; j <= last; j++) visit(x[j], y[j], starts && j === first);
      }
    }
  }
}

const meets = (boxes, i, west, north, east, south) =>
  boxes[4 * i] <= east && boxes[4 * i + 2] >= west &&
  boxes[4 * i + 1] <= south && boxes[4 * i + 3] >= north;

/* The polygon under a place, -1 for none; the first of several that overlap. */
function polygonAt(layer, atX, atY) {
  for (let i = 0; i < layer.meta.count; i++) {
    if (!meets(layer.boxes, i, atX, atY, atX, atY)) continue;
    let inside = false, fromX = 0, fromY = 0;
    walk(layer, i, (x, y, starts) => {
      if (!starts && (y > atY) !== (fromY > atY) &&
          atX < (fromX - x) * (atY - y) / (fromY - y) + x) inside = !inside;
      fromX = x; fromY = y;
    });
    if (inside) return i;
  }
  return -1;
}

/* The nearest point within a radius: its class and place, or null. */
function pointNear(layer, atX, atY, radius, shown) {
  let best = null, least = radius * radius;
  eachCell(layer, atX - radius, atY - radius, atX + radius, atY + radius, cell => {
    for (let k = layer.starts[cell]; k < layer.starts[cell + 1]; k++) {
      if (shown && !shown[layer.classes[k]]) continue;
      const x = layer.cellX[cell] + layer.x[k], y = layer.cellY[cell] + layer.y[k];
      const distance = (x - atX) ** 2 + (y - atY) ** 2;
      if (distance < least) { least = distance; best = { class: layer.classes[k], place: [x, y] }; }
    }
  });
  return best;
}

function eachCell(layer, west, north, east, south, visit) {
  for (let group = 0; 4 * group < layer.groups.length; group++) {
    if (!meets(layer.groups, group, west, north, east, south)) continue;
    const end = Math.min(layer.meta.cells, group * 64 + 64);
    for (let cell = group * 64; cell < end; cell++) {
      const x = layer.cellX[cell], y = layer.cellY[cell];
      if (x <= east && x + 255 >= west && y <= south && y + 255 >= north) visit(cell);
    }
  }
}

function eachShape(layer, west, north, east, south, visit) {
  for (let group = 0; 4 * group < layer.groups.length; group++) {
    if (!meets(layer.groups, group, west, north, east, south)) continue;
    const end = Math.min(layer.meta.count, group * 128 + 128);
    for (let i = group * 128; i < end; i++) {
      if (meets(layer.boxes, i, west, north, east, south)) visit(i);
    }
  }
}

/* Where labels sit: for each polygon x, y and width of its widest level chord, of three tried,
   and the height of the polygon. */
function anchors(layer) {
  const count = layer.meta.count, found = new Float64Array(4 * count);
  const vertices = simplified(layer, 13);
  for (let i = 0; i < count; i++) {
    const north = layer.boxes[4 * i + 1], height = layer.boxes[4 * i + 3] - north;
    const levels = [0.5, 0.36, 0.64].map(share => north + share * height + 0.5);
    const crossings = [[], [], []];
    let fromX = 0, fromY = 0;
    walk(layer, i, (x, y, starts) => {
      if (!starts && y !== fromY) {
        for (let level = 0; level < 3; level++) {
          const at = levels[level];
          if ((y > at) !== (fromY > at)) {
            crossings[level].push(fromX + (x - fromX) * (at - fromY) / (y - fromY));
          }
        }
      }
      fromX = x; fromY = y;
    }, vertices);
    found[4 * i + 3] = height;
    crossings.forEach((places, level) => {
      places.sort((one, other) => one - other);
      for (let k = 0; k + 1 < places.length; k += 2) {
        const width = (places[k + 1] - places[k]) * (level ? 0.9 : 1);  // rather in the middle
        if (width > found[4 * i + 2]) {
          found.set([(places[k] + places[k + 1]) / 2, levels[level], width], 4 * i);
        }
      }
    });
  }
  return found;
}
