/* The figures of the grids in one layer: columns of values, their classes, their words. */

gridmap.Figures = class {
  constructor(content, layer) {
    Object.assign(this, content);
    this.layer = layer;
    this.byName = new Map(this.columns.map(column => [column.name, column]));
    this.folded = null;
  }
  get count() { return this.codes.length; }

  /* "Town · Community", or nothing. */
  placeOf(i) { return this.places ? this.places.names[this.places.at[i]] : ""; }

  valueOf(column, i) {
    const value = column.values[i];
    return column.kind === "text" && value !== null ? column.levels[value] : value;
  }
  isWithheld(column, i) {
    if (!column.hidden) column.hidden = new Set(column.withheld || []);
    return column.hidden.has(i);
  }
  /* A share of nobody is neither unknown nor 0. */
  isInapplicable(column, i) {
    if (!column.none) column.none = new Set(column.inapplicable || []);
    return column.none.has(i);
  }
  textOf(column, i) {
    if (this.isWithheld(column, i)) return gridmap.word("withheld");
    const value = column.values[i];
    if (value === null) return gridmap.word(this.isInapplicable(column, i) ? "inapplicable" : "unknown");
    return column.kind === "text" ? gridmap.say(column.texts[value]) : gridmap.format(value, column);
  }

  /* Classes of a column: entries with colour, label and count, and the entry of every grid.
     Where `inside` is given, grids that it leaves out are counted nowhere and get 255. */
  classes(column, breaks, inside) {
    return column.kind === "text" ? this.categories(column, inside) :
      this.intervals(column, breaks, inside);
  }
  categories(column, inside) {
    const entries = column.shown.map((level, k) =>
      ({ colour: column.colours[k], label: column.texts[level], count: 0 }));
    const entryOf = new Map(column.shown.map((level, k) => [level, k]));
    if (column.shown.length < column.levels.length) {
      entries.push({ colour: "#8a8f98", label: gridmap.words.other, count: 0 });
    }
    const other = entries.length - 1;
    return this.tally(column, entries, inside,
      value => (entryOf.has(value) ? entryOf.get(value) : other));
  }
  intervals(column, breaks, inside) {
    const known = column.values.filter(value => value !== null);
    if (!known.length) return this.tally(column, [], inside, () => 0);
    const [least, most] = column.range;                    // of all layers and periods that share it
    const bounds = [Math.min(least, ...breaks), ...breaks, Math.max(most, ...breaks)];
    const whole = column.kind === "count" && known.every(Number.isInteger);
    const entries = bounds.slice(1).map((upper, k) => ({
      colour: gridmap.palettes[column.palette][bounds.length - 2][k], count: 0,
      lower: bounds[k], upper, label: this.interval(column, bounds[k], upper, k > 0 && whole),
    }));
    const find = value => {
      let k = 0;
      while (k < breaks.length && value > breaks[k]) k++;
      return k;
    };
    return this.tally(column, entries, inside, find);
  }
  interval(column, lower, upper, next) {
    const from = next ? Math.floor(lower) + 1 : lower;
    const [one, other] = [from, upper].map(value => gridmap.format(value, column));
    return one === other ? one : `${one} – ${other}`;
  }
  tally(column, entries, inside, find) {
    const numbers = new Uint8Array(this.count), known = entries.length;
    let unknown = -1, withheld = -1, none = -1;
    for (let i = 0; i < this.count; i++) {
      const value = column.values[i];
      if (inside && !inside[i]) { numbers[i] = 255; continue; }
      if (value !== null) { entries[numbers[i] = find(value)].count++; continue; }
      if (this.isWithheld(column, i)) {
        if (withheld < 0) {
          withheld = entries.push({ colour: "#c3c7ce", label: gridmap.words.withheld, count: 0 }) - 1;
        }
        entries[numbers[i] = withheld].count++;
      } else if (this.isInapplicable(column, i)) {
        if (none < 0) {
          none = entries.push({ colour: "#eef0f2", label: gridmap.words.inapplicable, count: 0 }) - 1;
        }
        entries[numbers[i] = none].count++;
      } else {
        if (unknown < 0) {
          unknown = entries.push({ colour: "#d7d9dd", label: gridmap.words.unknown, count: 0,
            striped: true }) - 1;
        }
        entries[numbers[i] = unknown].count++;
      }
    }
    return { entries, numbers, unknown, known };
  }

  /* Territories to choose from: every beginning of a place, "A" and "A · B", with its grids. */
  territories() {
    if (!this.places) return [];
    const found = new Map();
    this.places.names.forEach(name => {
      const parts = name.split(" · ");
      parts.forEach((_, depth) => {
        const path = parts.slice(0, depth + 1).join(" · ");
        if (path) found.set(path, { path, name: parts[depth], depth });
      });
    });
    return [...found.values()].sort((one, other) => one.path.localeCompare(other.path, "zh-CN"));
  }
  /* Which grids lie in a territory. */
  within(path) {
    const named = this.places.names.map(name => name === path || name.startsWith(path + " · "));
    return this.places.at.map(at => named[at]);
  }

  /* Grids whose code or place holds a text: those that start with it come first. */
  search(text, most) {
    const wanted = text.trim().toLowerCase(), first = [], later = [];
    if (!wanted) return [];
    this.folded = this.folded || this.codes.map((code, i) =>
      `${code}\n${this.placeOf(i)}`.toLowerCase());
    for (let i = 0; i < this.count && first.length < most; i++) {
      const at = this.folded[i].indexOf(wanted);
      if (at === 0) first.push(i);
      else if (at > 0 && later.length < most) later.push(i);
    }
    return [...first, ...later].slice(0, most);
  }
};
