// A table that sorts, filters, pages and picks, over rows that stay where they are: `order` is a list of row numbers.

class Grid {
  // host: element. columns: [{ label, value(row), text(row), words, sign }]. options: size, label, onPick(row), detail(row), first.
  constructor(host, rowCount, columns, options = {}) {
    Object.assign(this, { host, rowCount, columns, options, page: 0, picked: -1, filter: null, size: options.size || 100 });
    this.sortColumn = 0;
    this.descending = false;
    this.body = make("tbody");
    this.heads = columns.map((column, i) =>
      make("th", { scope: "col", class: column.words ? "words" : null },
        make("button", { type: "button", text: column.label, onclick: () => this.sortBy(i) })));
    const table = make("table", { "aria-label": options.label || "" }, make("thead", {}, make("tr", {}, ...this.heads)), this.body);
    this.pager = make("div", { class: "pager" });
    host.replaceChildren(make("div", { class: "grid" }, table), this.pager);
    this.arrange();
  }

  sortBy(i) {
    this.descending = this.sortColumn === i ? !this.descending : !this.columns[i].words && i > 0;
    this.sortColumn = i;
    this.arrange();
  }

  setFilter(filter) {
    this.filter = filter;
    this.arrange();
  }

  arrange() {
    const value = this.columns[this.sortColumn].value;
    const rows = Array.from({ length: this.rowCount }, (_, row) => row).filter((row) => !this.filter || this.filter(row));
    const side = this.descending ? -1 : 1;
    const compare = (a, b) => {
      const [x, y] = [value(a), value(b)];
      if (typeof x === "string") return side * x.localeCompare(y) || a - b;
      if (!known(x) || !known(y)) return known(y) - known(x) || a - b; // unknown values last, either way
      return side * (x - y) || a - b;
    };
    this.order = rows.sort(compare);
    this.page = 0;
    this.draw();
  }

  pick(row) {
    this.picked = this.picked === row && this.options.detail ? -1 : row;
    this.draw();
    if (this.options.onPick) this.options.onPick(row);
  }

  draw() {
    this.heads.forEach((head, i) => {
      if (i === this.sortColumn) head.setAttribute("aria-sort", this.descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    const shown = this.order.slice(this.page * this.size, (this.page + 1) * this.size);
    this.body.replaceChildren(...shown.flatMap((row) => this.rowElements(row)));
    if (!shown.length) this.body.append(make("tr", {}, make("td", { class: "empty", colspan: this.columns.length, text: "Nothing matches." })));
    this.drawPager();
  }

  rowElements(row) {
    const { onPick, detail } = this.options;
    const pick = () => this.pick(row);
    const picking = onPick || detail ? {
      class: "pick", tabindex: 0, "aria-selected": String(row === this.picked), onclick: pick,
      onkeydown: (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        this.pick(row);
        this.body.querySelector(`[data-row="${row}"]`).focus();
      },
    } : {};
    const cells = this.columns.map((column) => {
      const classes = [column.words ? "words" : "", column.long ? "long" : "", column.sign ? signClass(column.value(row)) : ""];
      return make("td", { class: classes.filter(Boolean).join(" ") || null, text: column.text(row) });
    });
    const elements = [make("tr", { "data-row": row, ...picking }, ...cells)];
    if (detail && row === this.picked) {
      elements.push(make("tr", { class: "detail" }, make("td", { colspan: this.columns.length }, detail(row))));
    }
    return elements;
  }

  drawPager() {
    const pages = Math.max(1, Math.ceil(this.order.length / this.size));
    const turn = (step, label, off) => make("button", { type: "button", text: label, disabled: off, onclick: () => { this.page += step; this.draw(); } });
    const count = `${whole.format(this.order.length)} ${this.order.length === 1 ? "row" : "rows"}`;
    this.pager.replaceChildren(make("span", { text: pages > 1 ? `${count}, page ${this.page + 1} of ${pages}` : count }));
    if (pages > 1) this.pager.append(turn(-1, "Back", this.page === 0), turn(1, "Next", this.page === pages - 1));
  }
}

// A labelled <select>: choices are [value, label].
function chooser(label, choices, onchange) {
  const options = choices.map(([value, text]) => make("option", { value, text }));
  return make("select", { "aria-label": label, onchange }, ...options);
}
