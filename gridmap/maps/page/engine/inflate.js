/* Inflate in plain script (RFC 1950 and 1951), for browsers without DecompressionStream. */

const LENGTH_BASE = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67,
  83, 99, 115, 131, 163, 195, 227, 258];
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5,
  5, 5, 0];
const DISTANCE_BASE = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513,
  769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577];
const DISTANCE_BITS = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11,
  11, 12, 12, 13, 13];
const CODE_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/* A table for a canonical Huffman code: the next bits of the stream, as many as the longest code
   has, give the symbol and, in the lowest four bits, how many of them it took. */
function huffman(lengths) {
  const longest = Math.max(1, ...lengths), table = new Uint16Array(1 << longest);
  const counts = new Uint16Array(17), next = new Uint16Array(17);
  for (const length of lengths) if (length) counts[length]++;
  for (let length = 1; length <= 15; length++) next[length + 1] = (next[length] + counts[length]) << 1;
  lengths.forEach((length, symbol) => {
    if (!length) return;
    let code = next[length]++, turned = 0;                 // codes come with their first bit first
    for (let bit = 0; bit < length; bit++, code >>= 1) turned = turned << 1 | (code & 1);
    for (let at = turned; at < table.length; at += 1 << length) table[at] = symbol << 4 | length;
  });
  return { table, longest, mask: table.length - 1 };
}

function inflatePlain(bytes) {
  let position = 2, held = 0, heldBits = 0;                // past the two bytes of the zlib header
  let out = new Uint8Array(Math.max(1024, bytes.length * 4)), size = 0;

  function bits(count) {
    while (heldBits < count) { held |= bytes[position++] << heldBits; heldBits += 8; }
    const value = held & ((1 << count) - 1);
    held >>>= count; heldBits -= count;
    return value;
  }
  function symbol({ table, longest, mask }) {
    while (heldBits < longest && position < bytes.length) {
      held |= bytes[position++] << heldBits; heldBits += 8;
    }
    const found = table[held & mask], length = found & 15;
    if (!length || length > heldBits) throw new Error("a block of the page is damaged");
    held >>>= length; heldBits -= length;
    return found >> 4;
  }
  function room(more) {
    if (size + more <= out.length) return;
    const larger = new Uint8Array(Math.max(out.length * 2, size + more));
    larger.set(out); out = larger;
  }
  function stored() {
    position -= heldBits >> 3;                             // whole bytes that were read ahead
    held = heldBits = 0;
    const length = bytes[position] | bytes[position + 1] << 8;
    position += 4; room(length);
    out.set(bytes.subarray(position, position + length), size);
    size += length; position += length;
  }
  function dynamicCodes() {
    const literals = bits(5) + 257, distances = bits(5) + 1, codes = bits(4) + 4;
    const first = new Array(19).fill(0), lengths = [];
    for (let i = 0; i < codes; i++) first[CODE_ORDER[i]] = bits(3);
    const code = huffman(first);
    while (lengths.length < literals + distances) {
      const value = symbol(code);
      if (value < 16) { lengths.push(value); continue; }
      const repeated = value === 16 ? lengths[lengths.length - 1] : 0;
      let times = value === 16 ? 3 + bits(2) : value === 17 ? 3 + bits(3) : 11 + bits(7);
      while (times--) lengths.push(repeated);
    }
    return [huffman(lengths.slice(0, literals)), huffman(lengths.slice(literals))];
  }
  function fixedCodes() {
    const lengths = Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8));
    return [huffman(lengths), huffman(new Array(30).fill(5))];
  }
  function compressed([literals, distances]) {
    for (let value = symbol(literals); value !== 256; value = symbol(literals)) {
      if (value < 256) { room(1); out[size++] = value; continue; }
      const length = LENGTH_BASE[value - 257] + bits(LENGTH_BITS[value - 257]);
      const back = symbol(distances), distance = DISTANCE_BASE[back] + bits(DISTANCE_BITS[back]);
      room(length);
      for (let i = 0; i < length; i++, size++) out[size] = out[size - distance];
    }
  }

  for (let last = false; !last;) {
    last = Boolean(bits(1));
    const kind = bits(2);
    if (kind === 0) stored();
    else compressed(kind === 1 ? fixedCodes() : dynamicCodes());
  }
  return out.subarray(0, size);
}
