/* The table of grids: sorted, filtered, linked to the map, written as CSV. */

(function () {
  "use strict";
  const { make, icon, word, say } = gridmap;
  const ROW = 30;                                          // height of a row in pixels

  /* A cell that a spreadsheet would run as a formula is text with an apostrophe before it. */
  function csvCell(value) {
    if (value === null || value === undefined) return "";
    if (typeof value === "number") return String(value);
    const text = /^[=+\-@\t\r]/.test(value) ? "'" + value : value;
    return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
  }
  gridmap.tableAsCsv = function (figures, rows) {
    const head = ["grid", ...(figures.places ? ["place"] : []), ...figures.columns.map(one => one.name)];
    const lines = rows.map(i => [figures.codes[i], ...(figures.places ? [figures.placeOf(i)] : []),
      ...figures.columns.map(column => (figures.isWithheld(column, i) ? word("withheld") :
        figures.valueOf(column, i)))]);
    return "\ufeff" + [head, ...lines].map(line => line.map(csvCell).join(",")).join("\r\n") + "\r\n";
  };
  function save(text, name) {
    const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
    make("a", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  }

  class Table {
    constructor(view) {
      Object.assign(this, { view, order: [], by: "code", down: false, text: "", top: 0 });
      this.build();
      for (const event of ["figure", "language"]) view.on(event, () => this.fill());
      view.on("select", () => this.mark(true));
    }
    get columns() {
      const { figures } = this.view, none = () => null;
      return [{ name: "code", title: gridmap.words.code, text: i => figures.codes[i], value: i => figures.codes[i] },
        ...(figures.places ? [{ name: "place", title: gridmap.words.place,
          text: i => figures.placeOf(i), value: i => figures.placeOf(i) }] : []),
        ...figures.columns.map(column => ({ name: column.name, title: column.title,
          number: column.kind !== "text", text: i => figures.textOf(column, i),
          value: column.kind === "text" ? i => figures.textOf(column, i) : i => column.values[i] || (column.values[i] === 0 ? 0 : none()) }))];
    }
    build() {
      this.filter = make("input", { type: "search", class: "gm-filter" });
      gridmap.spoken(this.filter, "filterTable", "placeholder");
      gridmap.spoken(this.filter, "filterTable", "aria-label");
      this.filter.addEventListener("input", () => { this.text = this.filter.value; this.fill(); });
      this.count = make("span", { "aria-live": "polite" });
      const csv = gridmap.spoken(make("button", { type: "button", class: "gm-plain" }), "saveCsv");
      csv.addEventListener("click", () =>
        save(gridmap.tableAsCsv(this.view.figures, this.order), "grids.csv"));
      const close = make("button", { type: "button", class: "gm-close", onclick: () => this.show(false) },
        icon("M5 5l10 10", "M15 5L5 15"));
      gridmap.spoken(close, "close", "aria-label");
      this.head = make("tr"); this.body = make("tbody");
      this.scroll = make("div", { class: "gm-scroll", tabindex: "0", role: "region" },
        make("table", {}, make("thead", {}, this.head), this.body));
      gridmap.spoken(this.scroll, () => gridmap.counted(this.view.figures, "table"), "aria-label");
      this.scroll.addEventListener("scroll", () => this.paint());
      this.scroll.addEventListener("keydown", event => this.walk(event));
      this.body.addEventListener("click", event => {
        const row = event.target.closest("tr[data-grid]");
        if (row) this.view.select(Number(row.dataset.grid), true);
      });
      this.drawer = make("section", { class: "gm-drawer", hidden: true },
        make("header", {}, gridmap.spoken(make("h2"), () => gridmap.counted(this.view.figures, "table")), this.filter, this.count, csv, close),
        this.scroll);
      document.body.append(this.drawer);
    }
    show(open) {
      this.drawer.hidden = !open;
      document.body.classList.toggle("gm-with-table", open);
      this.button.setAttribute("aria-expanded", String(open));
      this.view.map.invalidateSize();
      if (open) this.fill(); else this.button.focus();
    }
    /* Choose and sort the rows: those of the territory and class shown, and of the filter. */
    fill() {
      if (this.drawer.hidden) return;
      const { view } = this, { figures } = view, wanted = this.text.trim().toLowerCase();
      const column = this.columns.find(one => one.name === this.by) || this.columns[0];
      this.order = [];
      for (let i = 0; i < figures.count; i++) {
        if (view.classes.numbers[i] === 255 || view.hidden.has(view.classes.numbers[i])) continue;
        if (!wanted || `${figures.codes[i]}\n${figures.placeOf(i)}`.toLowerCase().includes(wanted)) {
          this.order.push(i);
        }
      }
      const sign = this.down ? -1 : 1, keys = this.order.map(column.value);
      const rank = new Map(this.order.map((i, at) => [i, keys[at]]));
      this.order.sort((one, other) => {
        const a = rank.get(one), b = rank.get(other);
        if (a === null || b === null) return (a === null) - (b === null) || one - other;  // last
        if (a === b) return one - other;
        return sign * (typeof a === "number" ? a - b : a.localeCompare(b, "zh-CN", { numeric: true }));
      });
      this.count.textContent = word("rows", { n: gridmap.number(this.order.length) });
      this.fillHead();
      this.scroll.scrollTop = 0;
      this.mark(false);
      this.paint();
    }
    fillHead() {
      this.head.replaceChildren(...this.columns.map(column => {
        const sorted = this.by === column.name;
        const button = make("button", { type: "button", onclick: () => {
          this.down = sorted ? !this.down : Boolean(column.number);
          this.by = column.name;
          this.fill();
          [...this.head.children].find(cell => cell.getAttribute("aria-sort")).firstChild.focus();
        } }, say(column.title), make("i", { "aria-hidden": "true" }, sorted ? (this.down ? "▼" : "▲") : ""));
        return make("th", { scope: "col", class: column.number ? "gm-number" : undefined,
          "aria-sort": sorted ? (this.down ? "descending" : "ascending") : undefined }, button);
      }));
    }
    /* Only the rows in sight are in the page. */
    paint() {
      const first = Math.max(0, Math.floor(this.scroll.scrollTop / ROW) - 10);
      const last = Math.min(this.order.length, first + Math.ceil(this.scroll.clientHeight / ROW) + 20);
      const gap = rows => make("tr", { class: "gm-gap", style: `height:${rows * ROW}px`, "aria-hidden": "true" });
      const { columns } = this, { selected } = this.view;
      this.body.replaceChildren(gap(first), ...this.order.slice(first, last).map(i =>
        make("tr", { "data-grid": i, "aria-selected": i === selected ? "true" : undefined },
          ...columns.map(column => make("td", { class: column.number ? "gm-number" : undefined },
            column.text(i))))), gap(this.order.length - last));
    }
    mark(scroll) {
      if (this.drawer.hidden) return;
      const at = this.order.indexOf(this.view.selected);
      const top = at * ROW, { scrollTop, clientHeight } = this.scroll;
      if (scroll && at >= 0 && (top < scrollTop || top > scrollTop + clientHeight - 3 * ROW)) {
        this.scroll.scrollTop = top - clientHeight / 2;
      }
      this.paint();
    }
    walk(event) {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape") { this.show(false); return; }
      if (!step || event.target !== this.scroll || !this.order.length) return;
      event.preventDefault();
      const at = this.order.indexOf(this.view.selected) + step;
      this.view.select(this.order[Math.max(0, Math.min(this.order.length - 1, at))], true);
    }
  }

  gridmap.tools.push(view => {
    if (!view.figures) return null;
    const table = new Table(view);
    table.button = make("button", { type: "button", "aria-expanded": "false",
      onclick: () => table.show(table.drawer.hidden) },
    icon("M3 4h14v12H3z", "M3 8.2h14", "M3 12.1h14", "M8 8.2V16"));
    const title = () => gridmap.counted(view.figures, "table");
    gridmap.spoken(table.button, title, "aria-label");
    gridmap.spoken(table.button, title, "title");
    return table.button;
  });
})();
