/* Blocks of the page back into numbers. They are written by gridmap/maps/encode.py. */

function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const letters = atob(text), bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

async function inflate(text) {
  const bytes = fromBase64(text);
  if (typeof DecompressionStream === "undefined") return inflatePlain(bytes);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/* Whole numbers below 2^31. */
function readNumbers(bytes, count) {
  const numbers = new Int32Array(count);
  for (let i = 0, at = 0; i < count; i++) {
    let byte = bytes[at++], value = byte & 127;
    for (let shift = 7; byte & 128; shift += 7) value |= ((byte = bytes[at++]) & 127) << shift;
    numbers[i] = value;
  }
  return numbers;
}

/* Steps along the curve of points may pass 2^32: they are put together by multiplying. */
function readLargeNumbers(bytes, count) {
  const numbers = new Float64Array(count);
  for (let i = 0, at = 0; i < count; i++) {
    let value = 0, unit = 1, byte;
    do { byte = bytes[at++]; value += (byte & 127) * unit; unit *= 128; } while (byte & 128);
    numbers[i] = value;
  }
  return numbers;
}

const unzigzag = value => (value >>> 1) ^ -(value & 1);

function readSteps(bytes, count) {
  const numbers = readNumbers(bytes, count);
  for (let i = 0, sum = 0; i < count; i++) numbers[i] = sum += unzigzag(numbers[i]);
  return numbers;
}

/* One coordinate of all arcs: their ends, and by how much each vertex between misses where it
   was expected. That is one share of the way left, or halfway to the step before repeated. */
async function readArcs(block, endsBlock, arcs) {
  const count = arcs.length - 1, values = new Int32Array(arcs[count]);
  const ends = readSteps(await inflate(endsBlock), 2 * count);
  const missed = readNumbers(await inflate(block), values.length - 2 * count);
  for (let arc = 0, at = 0; arc < count; arc++) {
    const first = arcs[arc], last = arcs[arc + 1] - 1, end = ends[2 * arc + 1];
    let value = values[first] = ends[2 * arc], step = 0;
    for (let k = first + 1; k < last; k++) {
      const share = Math.floor((end - value) / (last - k + 1));
      step = (k > first + 1 ? (share + step) >> 1 : share) + unzigzag(missed[at++]);
      values[k] = value += step;
    }
    values[last] = end;
  }
  return values;
}

/* Where each run begins, and one past the last. */
function offsets(sizes) {
  const starts = new Uint32Array(sizes.length + 1);
  for (let i = 0; i < sizes.length; i++) starts[i + 1] = starts[i] + sizes[i];
  return starts;
}

/* Every second bit of a number of 32 bits. */
function everySecond(bits) {
  bits &= 0x55555555;
  bits = (bits | bits >>> 1) & 0x33333333;
  bits = (bits | bits >>> 2) & 0x0f0f0f0f;
  bits = (bits | bits >>> 4) & 0x00ff00ff;
  return (bits | bits >>> 8) & 0xffff;
}
function unmorton(value) {
  const low = value >>> 0, high = Math.floor(value / 4294967296);
  return [everySecond(low) | everySecond(high) << 16,
    everySecond(low >>> 1) | everySecond(high >>> 1) << 16];
}

/* Boxes are four numbers in a row: west, north, east, south, in pixels (y points south). */
function emptyBoxes(count) {
  const boxes = new Int32Array(4 * count);
  for (let i = 0; i < boxes.length; i++) boxes[i] = i % 4 < 2 ? 2147483647 : -2147483648;
  return boxes;
}
function stretch(boxes, i, west, north, east, south) {
  const at = 4 * i;
  if (west < boxes[at]) boxes[at] = west;
  if (north < boxes[at + 1]) boxes[at + 1] = north;
  if (east > boxes[at + 2]) boxes[at + 2] = east;
  if (south > boxes[at + 3]) boxes[at + 3] = south;
}
/* Boxes around stretches of vertices, each from one start to the next. */
function boxesAround(x, y, starts) {
  const count = starts.length - 1, boxes = new Int32Array(4 * count);
  for (let i = 0; i < count; i++) {
    const end = starts[i + 1];
    let k = starts[i], west = x[k], east = west, north = y[k], south = north;
    for (k++; k < end; k++) {
      if (x[k] < west) west = x[k]; else if (x[k] > east) east = x[k];
      if (y[k] < north) north = y[k]; else if (y[k] > south) south = y[k];
    }
    boxes[4 * i] = west; boxes[4 * i + 1] = north; boxes[4 * i + 2] = east; boxes[4 * i + 3] = south;
  }
  return boxes;
}

/* Boxes around every `step` boxes, so that whole stretches can be passed over. */
function groupBoxes(boxes, step) {
  const count = boxes.length / 4, groups = emptyBoxes(Math.ceil(count / step));
  for (let i = 0; i < count; i++) {
    const at = 4 * i;
    stretch(groups, Math.floor(i / step), boxes[at], boxes[at + 1], boxes[at + 2], boxes[at + 3]);
  }
  return groups;
}

/* One coordinate of all runs. A run starts from where the last one started; the last side of a
   house of four corners runs back along the second, so that only what is left is written. */
function readRuns(bytes, starts, meta) {
  const values = readNumbers(bytes, meta.vertices);
  for (let run = 0, start = 0; run < meta.runs; run++) {
    const first = starts[run], end = starts[run + 1];
    let value = start;
    for (let k = first; k < end; k++) values[k] = value += unzigzag(values[k]);
    start = values[first];
    if (meta.closed && end - first === 4) values[first + 3] -= values[first + 1] - start;
  }
  return values;
}

const decoders = {
  async tiling(meta, blocks) {
    const sizes = readNumbers(await inflate(blocks.sizes), meta.arcs);
    const arcs = offsets(sizes);
    const x = await readArcs(blocks.x, blocks.xEnds, arcs);
    const y = await readArcs(blocks.y, blocks.yEnds, arcs);
    const polygons = offsets(readNumbers(await inflate(blocks.rings), meta.count));
    const rings = offsets(readNumbers(await inflate(blocks.lengths), meta.ringCount));
    const references = readSteps(await inflate(blocks.references), meta.referenceCount);
    const arcBoxes = boxesAround(x, y, arcs), boxes = emptyBoxes(meta.count);
    for (let i = 0; i < meta.count; i++) {
      for (let k = rings[polygons[i]]; k < rings[polygons[i + 1]]; k++) {
        const arc = 4 * (references[k] >> 1);
        stretch(boxes, i, arcBoxes[arc], arcBoxes[arc + 1], arcBoxes[arc + 2], arcBoxes[arc + 3]);
      }
    }
    return { x, y, arcs, polygons, rings, references, arcBoxes, boxes,
      simple: new Map() };
  },

  async points(meta, blocks) {
    const steps = readLargeNumbers(await inflate(blocks.cells), meta.cells);
    const starts = offsets(readNumbers(await inflate(blocks.counts), meta.cells));
    const cellX = new Int32Array(meta.cells), cellY = new Int32Array(meta.cells);
    const groups = emptyBoxes(Math.ceil(meta.cells / 64));
    for (let i = 0, curve = 0; i < meta.cells; i++) {
      const [x, y] = unmorton(curve += steps[i]);
      cellX[i] = (x + meta.origin[0]) * 256; cellY[i] = (y + meta.origin[1]) * 256;
      stretch(groups, i >> 6, cellX[i], cellY[i], cellX[i] + 255, cellY[i] + 255);
    }
    const x = await inflate(blocks.x), y = await inflate(blocks.y);
    for (let i = 0; i < meta.cells; i++) {
      let sum = 0;
      for (let k = starts[i], end = starts[i + 1]; k < end; k++) x[k] = sum = sum + x[k] & 255;
    }
    const radii = blocks.radii && readNumbers(await inflate(blocks.radii), meta.count);
    return { cellX, cellY, starts, x, y, radii, classes: await inflate(blocks.classes),
      groups, densest: new Map() };
  },

  async shapes(meta, blocks) {
    const runs = offsets(readNumbers(await inflate(blocks.runs), meta.count));
    const starts = offsets(readNumbers(await inflate(blocks.sizes), meta.runs));
    const x = readRuns(await inflate(blocks.x), starts, meta);
    const y = readRuns(await inflate(blocks.y), starts, meta);
    const boxes = boxesAround(x, y, runs.map(run => starts[run]));
    return { runs, starts, x, y, boxes, classes: await inflate(blocks.classes),
      groups: groupBoxes(boxes, 128) };
  },
};
