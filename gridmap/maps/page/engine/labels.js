/* Labels of all layers on one tile, above everything else. A label is shown where it fits into
   its own polygon and covers no label that came before: earlier sets come first. */

const FONTS = '"Noto Sans SC","Noto Sans CJK SC","Source Han Sans SC","PingFang SC",' +
  '"Microsoft YaHei","Segoe UI",system-ui,sans-serif';

const labelSets = new Map();                               // texts, places and look, by layer

function setsAt(zoom, shown) {
  return shown.map(id => labelSets.get(id))
    .filter(set => set && set.texts && zoom >= set.from && zoom <= set.to)
    .sort((one, other) => one.rank - other.rank);
}

function paintLabels(sets, context, tile) {
  const taken = [];
  context.textAlign = "center"; context.textBaseline = "middle"; context.lineJoin = "round";
  for (const set of sets) {
    context.font = `${set.weight || 400} ${set.size}px ${FONTS}`;
    context.strokeStyle = "rgba(255,255,255,.92)"; context.lineWidth = 3.2;
    context.fillStyle = set.colour;
    eachLabel(set, tile, (text, x, y, room) => {
      if (text.length * set.size * 0.5 > room) return;     // cheaper than measuring
      const width = context.measureText(text).width;
      if (width + 6 > room * set.slack) return;
      const box = [x - width / 2 - 4, y - set.size * 0.7, x + width / 2 + 4, y + set.size * 0.7];
      if (taken.some(other => box[0] < other[2] && box[2] > other[0] &&
                              box[1] < other[3] && box[3] > other[1])) return;
      taken.push(box);
      context.strokeText(text, x, y);
      context.fillText(text, x, y);
    });
  }
}

function eachLabel(set, tile, visit) {
  const { scale, left, top, size } = tile, margin = 160;
  for (let i = 0; i < set.texts.length; i++) {
    const [placeX, placeY, room, height] = set.places.subarray(4 * i, 4 * i + 4);
    const x = placeX * scale - left, y = placeY * scale - top;
    if (!set.texts[i] || x < -margin || y < -40 || x > size + margin || y > size + 40) continue;
    if (set.hidden && set.hidden[i]) continue;
    if (height * scale > set.size * 1.3) visit(set.texts[i], x, y, room * scale);
  }
}
