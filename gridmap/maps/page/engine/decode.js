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

/* Values may pass 2^32, so they are put together by multiplying, not by shifting. */
function readNumbers(bytes, count) {
  const numbers = new Float64Array(count);
  for (let i = 0, at = 0; i < count; i++) {
    let value = 0, unit = 1, byte;
    do { byte = bytes[at++]; value += (byte & 127) * unit; unit *= 128; } while (byte & 128);
    numbers[i] = value;
  }
  return numbers;
}

const unzigzag = value => (value % 2 ? -(value + 1) / 2 : value / 2);

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

function unmorton(value) {
  let x = 0, y = 0;
  for (let unit = 1; value > 0; unit *= 2, value = Math.floor(value / 4)) {
    const pair = value % 4;
    x += (pair & 1) * unit; y += (pair >> 1) * unit;
  }
  return [x, y];
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
/* Boxes around every `step` boxes, so that whole stretches can be passed over. */
function groupBoxes(boxes, step) {
  const groups = emptyBoxes(Math.ceil(boxes.length / 4 / step));
  for (let i = 0; i < boxes.length / 4; i++) {
    stretch(groups, Math.floor(i / step), ...boxes.subarray(4 * i, 4 * i + 4));
  }
  return groups;
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
    const arcBoxes = emptyBoxes(meta.arcs), boxes = emptyBoxes(meta.count);
    for (let arc = 0; arc < meta.arcs; arc++) {
      for (let k = arcs[arc]; k < arcs[arc + 1]; k++) {
        stretch(arcBoxes, arc, x[k], y[k], x[k], y[k]);
      }
    }
    for (let i = 0; i < meta.count; i++) {
      for (let k = rings[polygons[i]]; k < rings[polygons[i + 1]]; k++) {
        const arc = 4 * (references[k] >> 1);
        stretch(boxes, i, arcBoxes[arc], arcBoxes[arc + 1], arcBoxes[arc + 2], arcBoxes[arc + 3]);
      }
    }
    return { x, y, arcs, polygons, rings, references: Int32Array.from(references), arcBoxes, boxes,
      simple: new Map() };
  },

  async points(meta, blocks) {
    const steps = readNumbers(await inflate(blocks.cells), meta.cells);
    const starts = offsets(readNumbers(await inflate(blocks.counts), meta.cells));
    const cellX = new Int32Array(meta.cells), cellY = new Int32Array(meta.cells);
    const boxes = emptyBoxes(meta.cells);
    for (let i = 0, curve = 0; i < meta.cells; i++) {
      const [x, y] = unmorton(curve += steps[i]);
      cellX[i] = (x + meta.origin[0]) * 256; cellY[i] = (y + meta.origin[1]) * 256;
      stretch(boxes, i, cellX[i], cellY[i], cellX[i] + 255, cellY[i] + 255);
    }
    const x = await inflate(blocks.x), y = await inflate(blocks.y);
    for (let i = 0; i < meta.cells; i++) {
      for (let k = starts[i] + 1; k < starts[i + 1]; k++) x[k] = x[k] + x[k - 1];
    }
    const radii = blocks.radii && readNumbers(await inflate(blocks.radii), meta.count);
    return { cellX, cellY, starts, x, y, radii, classes: await inflate(blocks.classes),
      groups: groupBoxes(boxes, 64), densest: new Map() };
  },

  async shapes(meta, blocks) {
    const runs = offsets(readNumbers(await inflate(blocks.runs), meta.count));
    const starts = offsets(readNumbers(await inflate(blocks.sizes), meta.runs));
    const stepsX = readNumbers(await inflate(blocks.x), meta.vertices);
    const stepsY = readNumbers(await inflate(blocks.y), meta.vertices);
    const x = new Int32Array(meta.vertices), y = new Int32Array(meta.vertices);
    const boxes = emptyBoxes(meta.count);
    let firstX = 0, firstY = 0;
    for (let i = 0; i < meta.count; i++) {
      for (let run = runs[i]; run < runs[i + 1]; run++) {
        let atX = firstX, atY = firstY;                    // a run starts from where the last started
        const first = starts[run], house = meta.closed && starts[run + 1] - first === 4;
        for (let k = first; k < starts[run + 1]; k++) {
          let stepX = unzigzag(stepsX[k]), stepY = unzigzag(stepsY[k]);
          if (house && k === first + 3) {                  // the last side runs back along the second
            stepX -= x[first + 1] - x[first]; stepY -= y[first + 1] - y[first];
          }
          x[k] = atX += stepX; y[k] = atY += stepY;
          stretch(boxes, i, atX, atY, atX, atY);
        }
        firstX = x[starts[run]]; firstY = y[starts[run]];
      }
    }
    return { runs, starts, x, y, boxes, classes: await inflate(blocks.classes),
      groups: groupBoxes(boxes, 128) };
  },
};
