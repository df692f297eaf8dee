/* The independent shape under a place: the smallest of several, as its class and box. */

function shapeAt(layer, atX, atY) {
  let best = null, least = Infinity;
  eachShape(layer, atX, atY, atX, atY, i => {
    let inside = false;
    for (let run = layer.runs[i]; run < layer.runs[i + 1]; run++) {
      const first = layer.starts[run], end = layer.starts[run + 1];
      for (let k = first, from = end - 1; k < end; from = k++) {
        const [x, y, fromX, fromY] = [layer.x[k], layer.y[k], layer.x[from], layer.y[from]];
        if ((y > atY) !== (fromY > atY) && atX < (fromX - x) * (atY - y) / (fromY - y) + x) inside = !inside;
      }
    }
    const [west, north, east, south] = layer.boxes.subarray(4 * i, 4 * i + 4);
    const size = (east - west) * (south - north);
    if (inside && size < least) {
      least = size;
      best = { class: layer.classes[i], place: [(west + east) / 2, (north + south) / 2] };
    }
  });
  return best;
}
answers.shape = ({ id, x, y }) => ({ found: shapeAt(layers.get(id), x, y) });
