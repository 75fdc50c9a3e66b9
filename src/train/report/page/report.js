// What a reader can do: look up values, hide lines, take logarithms, smooth, sort. The page is whole without it.
"use strict";
(function () {
  const all = (selector, root) => Array.from((root || document).querySelectorAll(selector));
  const make = (tag, className, text) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const numbers = (text) => text.split(" ").map(Number);

  function tickText(value) {
    const units = ["", "k", "M", "G"];
    let size = Math.abs(value), unit = 0;
    while (size >= 1000 && unit < 3 && (unit > 0 || size >= 10000)) { size /= 1000; ++unit; }
    if (size >= 1e6 || (size > 0 && size < 1e-4)) return String(Number(value.toPrecision(3)));
    return (value < 0 ? "-" : "") + Number(size.toPrecision(4)) + units[unit];
  }

  function linearTicks(low, high, most) {
    const least = (high - low) / most, power = Math.pow(10, Math.floor(Math.log10(least)));
    const share = least / power, step = power * (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10);
    const ticks = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; ++k) ticks.push(k * step);
    return ticks;
  }
  function ticksOf(low, high, log, most) {
    if (!log) return linearTicks(low, high, most);
    const first = Math.floor(Math.log10(low) + 1e-9), last = Math.floor(Math.log10(high) + 1e-9);
    const every = Math.floor((last - first) / most) + 1, ticks = [];
    const between = 3 * (last - first + 1) <= most ? [1, 2, 5] : [1];
    for (let d = first; d <= last; d += every) {
      for (const b of between) {
        const value = b * Math.pow(10, d);
        if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)) ticks.push(value);
      }
    }
    return ticks.length > 1 ? ticks : linearTicks(low, high, most);
  }

  // Means of what came before, less and less; as if there had been nothing before the first.
  function smoothed(values, weight) {
    let sum = 0, count = 0;
    return values.map((v) => { sum = weight * sum + v; count = weight * count + 1; return sum / count; });
  }

  class Plot {
    constructor(svg) {
      this.svg = svg;
      this.figure = svg.closest("figure");
      [this.left, this.top, this.right, this.bottom] = numbers(svg.dataset.frame);
      this.x = numbers(svg.dataset.x);
      this.y = numbers(svg.dataset.y);
      const log = numbers(svg.dataset.log);
      this.logX = log[0] === 1;
      this.logY = log[1] === 1;
      this.smoothing = 0;
      this.lines = all("path[data-v]", svg).map((path) => {
        const rows = path.dataset.v ? path.dataset.v.split(" ").map((row) => row.split(",").map(Number)) : [];
        const beside = (node, kind) => (node && node.classList.contains(kind) ? node : null);
        return {
          path, name: path.dataset.name, run: path.dataset.run,
          x: rows.map((r) => r[0]), raw: rows.map((r) => r[1]), y: rows.map((r) => r[1]),
          spread: rows.length && rows[0].length > 2 ? rows.map((r) => r[2]) : null,
          band: beside(path.previousElementSibling, "band"), dots: beside(path.nextElementSibling, "dots"),
        };
      });
      this.bad = all("path.bad", svg);
      this.addTools();
      this.addHover();
    }
    visible() { return this.lines.filter((line) => !line.path.classList.contains("hidden")); }
    domain() { // of the axes as they are now
      const xs = this.lines.flatMap((line) => line.x), ys = this.visible().flatMap((line) => line.y);
      const positive = (values) => values.filter((v) => v > 0);
      const fit = (values, shown, log) => {
        if (!log) return shown;
        const good = positive(values);
        if (!good.length) return [1, 10];
        const low = good.reduce((a, b) => Math.min(a, b)), high = good.reduce((a, b) => Math.max(a, b));
        return [low, high > low ? high : low * 10];
      };
      return [fit(xs, this.x, this.logX), fit(ys, this.y, this.logY)];
    }
    draw() {
      [this.dx, this.dy] = this.domain();
      const share = (v, [low, high], log) => {
        const s = log ? Math.log(v / low) / Math.log(high / low) : (v - low) / (high - low);
        return Math.min(Math.max(s, 0), 1);
      };
      const px = (v) => this.left + share(v, this.dx, this.logX) * (this.right - this.left);
      const py = (v) => this.bottom - (this.logY && !(v > 0) ? 0 : share(v, this.dy, this.logY)) * (this.bottom - this.top);
      this.px = px;
      const at = (x, y) => px(x).toFixed(1) + "," + py(y).toFixed(1);
      for (const line of this.lines) {
        const shown = line.x.map((x, i) => i).filter((i) => (!this.logX || line.x[i] > 0) && (!this.logY || line.y[i] > 0));
        const points = shown.map((i) => at(line.x[i], line.y[i]));
        const dots = points.map((p) => "M" + p + "h0").join("");
        line.path.setAttribute("d", line.path.classList.contains("dots") ? dots : points.length ? "M" + points.join("L") : "");
        if (line.dots) line.dots.setAttribute("d", dots);
        if (line.band) {
          const up = shown.map((i) => at(line.x[i], line.y[i] + line.spread[i]));
          const down = shown.map((i) => at(line.x[i], line.y[i] - line.spread[i])).reverse();
          line.band.setAttribute("d", up.length ? "M" + up.concat(down).join("L") + "Z" : "");
        }
      }
      for (const mark of this.bad) {
        mark.setAttribute("d", `M${px(Number(mark.dataset.x)) - 4},${this.top + 4}l8,8m0,-8l-8,8`);
      }
      this.drawAxes(px, py);
    }
    drawAxes(px, py) {
      const axes = this.svg.querySelector("g.axes"), space = "http://www.w3.org/2000/svg";
      const add = (tag, attributes, text) => {
        const node = document.createElementNS(space, tag);
        for (const name in attributes) node.setAttribute(name, attributes[name]);
        if (text !== undefined) node.textContent = text;
        axes.appendChild(node);
      };
      axes.replaceChildren();
      for (const v of ticksOf(this.dy[0], this.dy[1], this.logY, 6)) {
        add("path", { class: "grid", d: `M${this.left},${py(v)}H${this.right}` });
        add("text", { class: "tick", x: this.left - 6, y: py(v) + 4, "text-anchor": "end" }, tickText(v));
      }
      for (const v of ticksOf(this.dx[0], this.dx[1], this.logX, 7)) {
        add("path", { class: "grid", d: `M${px(v)},${this.top}V${this.bottom}` });
        add("text", { class: "tick", x: px(v), y: this.bottom + 15, "text-anchor": "middle" }, tickText(v));
      }
      add("path", { class: "base", d: `M${this.left},${this.bottom}H${this.right}` });
    }
    smooth(weight) {
      for (const line of this.lines) line.y = weight > 0 && line.raw.length > 40 ? smoothed(line.raw, weight) : line.raw;
      this.draw();
    }
    addTools() {
      const tools = make("span", "tools");
      for (const axis of ["X", "Y"]) {
        const button = make("button", "", "log " + axis.toLowerCase());
        button.setAttribute("aria-pressed", String(this["log" + axis]));
        button.addEventListener("click", () => {
          this["log" + axis] = !this["log" + axis];
          button.setAttribute("aria-pressed", String(this["log" + axis]));
          this.draw();
        });
        tools.append(button, " ");
      }
      this.figure.querySelector("figcaption").append(tools);
    }
    addHover() {
      const tip = make("div", "tip hidden"), space = "http://www.w3.org/2000/svg";
      const cursor = document.createElementNS(space, "path");
      cursor.setAttribute("class", "cursor hidden");
      this.svg.append(cursor);
      this.figure.append(tip);
      const hide = () => { tip.classList.add("hidden"); cursor.classList.add("hidden"); };
      this.svg.addEventListener("pointerleave", hide);
      this.svg.addEventListener("pointermove", (event) => {
        const box = this.svg.getBoundingClientRect(), scale = box.width / this.svg.viewBox.baseVal.width;
        const at = (event.clientX - box.left) / scale;
        if (!this.px) [this.dx, this.dy] = this.domain();
        const share = Math.min(Math.max((at - this.left) / (this.right - this.left), 0), 1);
        const [low, high] = this.dx;
        const x = this.logX ? low * Math.pow(high / low, share) : low + share * (high - low);
        const found = [];
        for (const line of this.visible()) {
          let best = -1;
          for (let a = 0, b = line.x.length - 1; a <= b;) { // the last one not past x
            const m = (a + b) >> 1;
            if (line.x[m] <= x) { best = m; a = m + 1; } else b = m - 1;
          }
          if (best + 1 < line.x.length && (best < 0 || line.x[best + 1] - x < x - line.x[best])) ++best;
          if (best >= 0) found.push({ line, i: best });
        }
        if (!found.length) return hide();
        const nearest = found.reduce((a, b) => (Math.abs(b.line.x[b.i] - x) < Math.abs(a.line.x[a.i] - x) ? b : a));
        const value = nearest.line.x[nearest.i];
        tip.replaceChildren(make("div", "soft", this.svg.dataset.xname + " " + Number(value.toPrecision(7))));
        found.sort((a, b) => b.line.y[b.i] - a.line.y[a.i]);
        for (const { line, i } of found.slice(0, 14)) {
          const row = make("div"), key = make("span", "key");
          key.style.color = getComputedStyle(line.path).stroke;
          const spread = line.spread ? " \u00b1 " + Number(line.spread[i].toPrecision(3)) : "";
          row.append(key, make("span", "name", line.name), make("b", "", Number(line.y[i].toPrecision(5)) + spread));
          tip.append(row);
        }
        if (found.length > 14) tip.append(make("div", "soft", "and " + (found.length - 14) + " more"));
        tip.classList.remove("hidden");
        cursor.classList.remove("hidden");
        const cx = this.px ? this.px(value) : this.left + (value - low) / (high - low) * (this.right - this.left);
        cursor.setAttribute("d", `M${cx},${this.top}V${this.bottom}`);
        const frame = this.figure.getBoundingClientRect(), width = tip.offsetWidth;
        const x0 = box.left - frame.left + cx * scale, room = frame.width - width;
        tip.style.left = Math.max(0, Math.min(x0 + 12 + width > frame.width ? x0 - 12 - width : x0 + 12, room)) + "px";
        tip.style.top = box.top - frame.top + 8 + "px";
      });
    }
    toggle(test, off) {
      for (const line of this.lines) {
        if (!test(line)) continue;
        for (const node of [line.path, line.band, line.dots]) if (node) node.classList.toggle("hidden", off);
      }
    }
  }

  const plots = all("svg.plot").map((svg) => new Plot(svg));

  for (const button of all("button[data-hide]")) { // of one configuration, everywhere or in one chart
    button.addEventListener("click", () => {
      const off = button.classList.toggle("off"), figure = button.closest("figure");
      for (const plot of plots) {
        if (figure && plot.figure !== figure) continue;
        plot.toggle((line) => line.run === button.dataset.hide, off);
        for (const mark of plot.bad) if (mark.dataset.run === button.dataset.hide) mark.classList.toggle("hidden", off);
        if (plot.logY) plot.draw();
      }
    });
  }

  addEventListener("beforeprint", () => all("details.printed").forEach((node) => { node.open = true; }));

  const slider = document.getElementById("smooth");
  if (slider) slider.addEventListener("input", () => plots.forEach((plot) => plot.smooth(Number(slider.value))));
  all(".controls").forEach((node) => node.classList.remove("hidden"));

  // Runs of one configuration are folded below their mean, where there are several of them.
  for (const table of all("table.sortable")) {
    const bodies = Array.from(table.tBodies).filter((body) => body.querySelector(".member"));
    if (table.tBodies.length < 4) continue;
    for (const body of bodies) {
      const cell = body.rows[0].cells[0], button = make("button", "tools", "runs");
      const members = Array.from(body.rows).slice(1);
      const fold = (folded) => {
        members.forEach((row) => row.classList.toggle("folded", folded));
        button.setAttribute("aria-expanded", String(!folded));
      };
      button.addEventListener("click", () => fold(button.getAttribute("aria-expanded") === "true"));
      cell.append(" ", button);
      fold(true);
    }
  }

  for (const table of all("table.sortable")) {
    const heads = all("th", table);
    const value = (row, k) => {
      const cell = row.cells[k], text = cell ? cell.dataset.v || cell.textContent : "";
      const n = cell && cell.dataset.v === undefined && k === 0 ? NaN : parseFloat(text);
      return isNaN(n) ? text.toLowerCase() : n;
    };
    const compare = (a, b) => (typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? -1 : 1);
    heads.forEach((head, k) => {
      const sort = () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const sign = down ? -1 : 1;
        const bodies = Array.from(table.tBodies);
        for (const body of bodies) {
          const members = Array.from(body.rows).filter((row) => row.classList.contains("member"));
          members.sort((a, b) => sign * compare(value(a, k), value(b, k))).forEach((row) => body.append(row));
        }
        bodies.sort((a, b) => sign * compare(value(a.rows[0], k), value(b.rows[0], k))).forEach((body) => table.append(body));
      };
      head.tabIndex = 0;
      head.addEventListener("click", sort);
      head.addEventListener("keydown", (event) => { if (event.key === "Enter") sort(); });
    });
  }
})();
