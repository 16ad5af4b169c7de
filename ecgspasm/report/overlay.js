// An overlay of beats: numbers of the lead that is pointed at or has the focus, views, J by hand, and one lead alone to look closer.
"use strict";
ecgspasm.Overlay = class {
  // `numbers(lead, shift)` gives {said, head, rows}: a sentence, the heads of the columns, and rows of texts.
  constructor(figure, { numbers, byJ = null }) {
    this.figure = figure;
    this.leads = figure.querySelector(".leads");
    this.numbers = numbers;
    this.byJ = byJ;
    this.shift = 0;
    this.pointed = null;
    this.open = null;
    this.cells = [...figure.querySelectorAll(".lead")];
    this.box = this.leads.dataset.box.split(" ").map(Number);
    this.readout = figure.querySelector(".readout");
    for (const element of [figure.querySelector(".tools"), this.readout]) if (element) element.hidden = false;
    for (const cell of this.cells) this.#prepare(cell);
    this.#tools();
    if (byJ) this.#prepareJ();
    const first = this.cells.find((cell) => cell.dataset.lead === this.leads.dataset.first) ?? this.cells[0];
    if (first) this.point(first);
  }

  #prepare(cell) {
    const svg = cell.querySelector("svg");
    cell.tabIndex = 0;
    cell.setAttribute("role", "button");
    cell.setAttribute("aria-pressed", "false");
    svg.setAttribute("aria-hidden", "true");
    cell.addEventListener("pointerenter", () => this.point(cell));
    cell.addEventListener("focus", () => this.point(cell));
    cell.addEventListener("keydown", (event) => this.#key(event, cell));
    svg.addEventListener("click", () => {
      if (!this.dragged && this.open !== cell) this.alone(cell);
    });
    svg.addEventListener("wheel", (event) => {
      if (this.open !== cell) return;
      event.preventDefault();
      this.scale(event.deltaY < 0 ? 1.25 : 0.8, this.#place(svg, event));
    }, { passive: false });
    svg.addEventListener("pointerdown", (event) => this.#drag(event, cell, svg));
    this.#describe(cell);
  }

  #describe(cell) {
    cell.setAttribute("aria-label", this.numbers(cell.dataset.lead, this.shift).said);
  }

  // Where a pointer is, in millimetres of the drawing.
  #place(svg, event) {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return { x: at.x, y: at.y };
  }

  #drag(event, cell, svg) {
    this.dragged = false;
    const moving = this.byJ && event.target.closest(".grip");
    if (event.button !== 0 || (!moving && this.open !== cell)) return;
    const start = this.#place(svg, event);
    const shift = this.shift;
    const box = svg.getAttribute("viewBox").split(" ").map(Number);
    svg.setPointerCapture(event.pointerId);
    const move = (next) => {
      const at = this.#place(svg, next);
      if (Math.hypot(at.x - start.x, at.y - start.y) > 0.1) this.dragged = true;
      if (moving) {
        this.setShift(shift + (at.x - start.x) / 0.025);
      } else {
        // the drawing moves under the pointer, so the way is counted from where it now is
        box[0] -= at.x - start.x;
        box[1] -= at.y - start.y;
        this.#look(svg, box);
      }
    };
    const stop = () => {
      svg.removeEventListener("pointermove", move);
      svg.removeEventListener("pointerup", stop);
      svg.removeEventListener("pointercancel", stop);
    };
    svg.addEventListener("pointermove", move);
    svg.addEventListener("pointerup", stop);
    svg.addEventListener("pointercancel", stop);
    this.point(cell);
  }

  #key(event, cell) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const next = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (step && this.byJ) this.setShift(this.shift + step * (event.shiftKey ? 10 : 1));
    else if (next && this.open) this.alone(this.cells[(this.cells.indexOf(cell) + next + this.cells.length) % this.cells.length]);
    else if (event.key === "Enter" || event.key === " ") this.open === cell ? this.all() : this.alone(cell);
    else if (event.key === "Escape" && this.open) this.all();
    else if ((event.key === "+" || event.key === "=") && this.open) this.scale(1.5);
    else if (event.key === "-" && this.open) this.scale(1 / 1.5);
    else return;
    event.preventDefault();
  }

  point(cell) {
    if (this.pointed) this.pointed.classList.remove("pointed");
    this.pointed = cell;
    cell.classList.add("pointed");
    this.tell();
  }

  tell() {
    if (!this.readout || !this.pointed) return;
    const { make } = ecgspasm;
    const told = this.numbers(this.pointed.dataset.lead, this.shift);
    this.readout.querySelector(".said").textContent = told.said;
    const heads = told.head.map((words) => make("th", { scope: "col" }, words));
    this.readout.querySelector("thead").replaceChildren(make("tr", {}, ...heads));
    const rows = told.rows.map(([name, ...cells]) => make("tr", {}, make("th", { scope: "row" }, name), ...cells.map((cell) => make("td", {}, cell))));
    this.readout.querySelector("tbody").replaceChildren(...rows);
  }

  // When what is drawn is another one.
  retell() {
    for (const cell of this.cells) this.#describe(cell);
    this.tell();
  }

  alone(cell) {
    const had = this.cells.includes(document.activeElement);
    this.#close();
    this.open = cell;
    this.leads.classList.add("alone");
    cell.classList.add("open");
    cell.setAttribute("aria-pressed", "true");
    this.#buttons();
    this.point(cell);
    if (had) cell.focus({ preventScroll: true });
  }

  all() {
    const cell = this.open;
    this.#close();
    this.leads.classList.remove("alone");
    this.#buttons();
    if (cell) cell.focus({ preventScroll: true });
  }

  #close() {
    if (!this.open) return;
    this.open.classList.remove("open");
    this.open.setAttribute("aria-pressed", "false");
    this.open.querySelector("svg").setAttribute("viewBox", this.box.join(" "));
    this.open = null;
  }

  // Closer (> 1) or farther (< 1), about a place or about J; never farther than the whole.
  scale(factor, at = null) {
    if (!this.open) return;
    const svg = this.open.querySelector("svg");
    const box = svg.getAttribute("viewBox").split(" ").map(Number);
    const now = this.box[2] / box[2];
    const real = Math.min(Math.max(now * factor, 1), 16) / now;
    const about = at ?? { x: this.#jX() ?? box[0] + box[2] / 2, y: Math.min(Math.max(0, box[1]), box[1] + box[3]) };
    const left = about.x - (about.x - box[0]) / real;
    const top = about.y - (about.y - box[1]) / real;
    this.#look(svg, [left, top, box[2] / real, box[3] / real]);
  }

  // Never beyond the paper.
  #look(svg, box) {
    const [left, top, wide, high] = this.box;
    box[0] = Math.min(Math.max(box[0], left), left + wide - box[2]);
    box[1] = Math.min(Math.max(box[1], top), top + high - box[3]);
    svg.setAttribute("viewBox", box.map((each) => each.toFixed(3)).join(" "));
    this.#buttons();
  }

  #jX() {
    const line = this.open && this.open.querySelector(".j");
    return line ? Number(line.getAttribute("d").slice(1).split(" ")[0]) + this.shift * 0.025 : null;
  }

  #tools() {
    for (const input of this.figure.querySelectorAll(".views input")) {
      input.checked = input.value === this.figure.dataset.view;
      input.addEventListener("change", () => { this.figure.dataset.view = input.value; });
    }
    const does = {
      closer: () => this.scale(1.5),
      farther: () => this.scale(1 / 1.5),
      all: () => this.all(),
      reset: () => this.setShift(0),
    };
    for (const button of this.figure.querySelectorAll("button[data-do]")) button.addEventListener("click", does[button.dataset.do]);
  }

  #buttons() {
    for (const group of this.figure.querySelectorAll(".zoom")) group.hidden = !this.open;
    const svg = this.open && this.open.querySelector("svg");
    const farther = this.figure.querySelector('[data-do="farther"]');
    if (farther && svg) farther.disabled = Number(svg.getAttribute("viewBox").split(" ")[2]) > this.box[2] * 0.999;
  }

  #prepareJ() {
    this.figure.classList.add("moves");
    const slider = this.figure.querySelector("#j");
    slider.min = this.byJ.first_ms;
    slider.max = this.byJ.last_ms;
    slider.addEventListener("input", () => this.setShift(Number(slider.value)));
    this.setShift(0);
  }

  // J so many milliseconds from the common one, in all leads.
  setShift(ms) {
    const shift = Math.min(Math.max(Math.round(ms), this.byJ.first_ms), this.byJ.last_ms);
    this.shift = shift;
    const words = `${shift > 0 ? "+" : shift < 0 ? "−" : "±"}${Math.abs(shift)} ms`;
    const slider = this.figure.querySelector("#j");
    slider.value = shift;
    slider.setAttribute("aria-valuetext", `${words} from the common J`);
    this.figure.querySelector(".j-tool output").textContent = words;
    this.figure.querySelector('[data-do="reset"]').disabled = shift === 0;
    for (const cell of this.cells) this.#moveJ(cell);
    this.tell();
  }

  #moveJ(cell) {
    const marks = cell.querySelector(".at-j");
    const rows = this.byJ.leads[cell.dataset.lead];
    if (!marks || !rows) return;
    marks.setAttribute("transform", `translate(${(this.shift * 0.025).toFixed(3)} 0)`);
    const at = this.shift - this.byJ.first_ms;
    for (const dot of marks.querySelectorAll(".dot")) {
      const [, name, measure] = dot.getAttribute("class").split(" ");
      const level = rows[name][measure][at];
      dot.setAttribute("visibility", level === null ? "hidden" : "visible");
      if (level !== null) dot.setAttribute("transform", dot.getAttribute("transform").replace(/ \S+\)$/, ` ${(-level * 0.01).toFixed(3)})`));
    }
    const small = cell.querySelector(".small");
    const [one, other] = [rows.baseline.st_j_uv[at], rows.current.st_j_uv[at]];
    const change = one === null || other === null ? "–" : ecgspasm.uv(other - one);
    small.textContent = small.textContent.replace(/^ST \S+/, `ST ${change === "0" ? "±0" : change}`);
    this.#describe(cell);
  }
};

(() => {
  const { data, uv } = ecgspasm;
  const names = [["st_j_uv", "ST at J"], ["st_j20_uv", "J+20"], ["st_j40_uv", "J+40"], ["st_j60_uv", "J+60"], ["st_j80_uv", "J+80"], ["t_uv", "T"]];

  // The numbers of a lead of a comparison; ST at the J that was chosen, T always at the common one.
  function comparison(whole, byJ) {
    return (lead, shift) => {
      const told = whole.leads[lead];
      if (!told || told.state !== "measured") {
        const why = told ? told.state.replace("not_measurable: ", "not measurable: ") : "not compared";
        return { said: `${lead}: ${why}`, head: ["µV"], rows: [] };
      }
      const known = names.filter(([name]) => told[name]);
      const at = byJ ? shift - byJ.first_ms : 0;
      const values = known.map(([name]) => {
        const moved = byJ && name.startsWith("st_") ? byJ.leads[lead] : null;
        if (!moved || shift === 0) return told[name];
        const [baseline, current] = [moved.baseline[name][at], moved.current[name][at]];
        if (baseline === null || current === null) return { baseline, current, change: null, low: null, high: null };
        const change = current - baseline;
        const half = moved.half_width[name] ? moved.half_width[name][at] : null;
        return { baseline, current, change, low: half === null ? null : change - half, high: half === null ? null : change + half };
      });
      const rows = [
        ["baseline", ...values.map((each) => uv(each.baseline))],
        ["current", ...values.map((each) => uv(each.current))],
        ["change", ...values.map((each) => uv(each.change))],
        ["95 % interval", ...values.map((each) => (each.low === null ? "–" : `${uv(each.low)} to ${uv(each.high)}`))],
      ];
      const t = values[known.findIndex(([name]) => name === "t_uv")];
      const first = values[0];
      const where = shift ? ` (J ${shift > 0 ? "+" : "−"}${Math.abs(shift)} ms)` : "";
      const said = `${lead}${where}: ${known[0][1]} ${uv(first.baseline)} → ${uv(first.current)} µV, change ${uv(first.change)}` +
        (t && t.change !== null ? `; T ${uv(t.baseline)} → ${uv(t.current)} µV, change ${uv(t.change)}` : "");
      return { said, head: ["µV", ...known.map(([, words]) => words)], rows };
    };
  }

  for (const figure of document.querySelectorAll("[data-overlay]")) {
    const place = figure.dataset.overlay;
    const whole = place ? data.comparisons && data.comparisons[place] : data;
    if (!whole || !whole.leads || Array.isArray(whole.leads)) continue;
    const byJ = whole.st_by_j ?? null;
    figure.overlay = new ecgspasm.Overlay(figure, { numbers: comparison(whole, byJ), byJ });
  }
})();
