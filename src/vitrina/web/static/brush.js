// The repair brush: strokes are drawn here, solved in the house, and shown where they lie; undo takes the last away.

import { Layer } from "./tiles.js";
import { keyOf } from "./keys.js";

const GROUNDS = { grey: "#777", black: "#000", white: "#fff", magenta: "#f0f" };
const SIZES = [2, 3, 4, 6, 8, 12, 16, 24, 36, 54, 80, 120, 180, 260];

class Brush {
  constructor(root) {
    const spec = JSON.parse(root.dataset.brush);
    this.root = root;
    this.canvas = root.querySelector("canvas");
    this.ctx = this.canvas.getContext("2d");
    this.source = new Layer(spec.layers.source, () => this.draw());
    this.master = new Layer(spec.layers.master, () => this.draw());
    this.strokes = []; this.patches = []; this.ground = "grey"; this.tool = "keep"; this.ghost = false;
    this.pointers = new Map(); this.cursor = null; this.penDown = false; this.line = Promise.resolve();
    this.status = document.querySelector("[data-status]");
    this.form = document.querySelector("[data-keep]");
    new ResizeObserver(() => this.resize()).observe(root);
    this.resize();
    this.fit();
    this.listen();
  }

  get size() { return { width: this.source.width, height: this.source.height }; }

  resize() {
    const box = this.root.getBoundingClientRect();
    this.dpr = window.devicePixelRatio || 1;
    this.canvas.width = Math.max(1, Math.round(box.width * this.dpr));
    this.canvas.height = Math.max(1, Math.round(box.height * this.dpr));
    if (this.isFit) this.fit(); else this.draw();
  }

  fit() {
    const { width, height } = this.size;
    this.x = width / 2; this.y = height / 2;
    this.zoom = 0.96 * Math.min(this.canvas.width / width, this.canvas.height / height) / this.dpr;
    this.isFit = true;
    this.radius ??= SIZES.reduce((a, b) => (Math.abs(b - width / 80) < Math.abs(a - width / 80) ? b : a));
    this.draw();
  }

  get view() {
    const k = this.zoom * this.dpr;
    return [k, 0, 0, k, this.canvas.width / 2 - this.x * k, this.canvas.height / 2 - this.y * k];
  }

  draw() {
    if (this.queued) return;
    this.queued = true;
    requestAnimationFrame(() => { this.queued = false; this.paint(); });
  }

  paint() {
    const { ctx, canvas, view } = this, box = { x: 0, y: 0, w: canvas.width, h: canvas.height };
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.fillStyle = "#5a5a5a";
    ctx.fillRect(0, 0, canvas.width, canvas.height);
    if (this.ghost) this.source.draw(ctx, view, box, "#777");
    else {
      this.master.draw(ctx, view, box, GROUNDS[this.ground]);
      for (const patch of this.patches) if (patch) this.paintPatch(patch);
    }
    ctx.save();
    ctx.setTransform(...view);
    ctx.lineCap = ctx.lineJoin = "round";
    const pending = [...this.strokes.slice(this.patches.length), ...(this.now ? [this.now] : [])];
    for (const stroke of pending) {
      ctx.strokeStyle = ctx.fillStyle = stroke.kind === "keep" ? "#2ecc7180" : "#ff3b3080";
      ctx.lineWidth = 2 * stroke.radius;
      ctx.beginPath();
      stroke.points.forEach(([x, y], n) => (n ? ctx.lineTo(x, y) : ctx.moveTo(x, y)));
      if (stroke.points.length === 1) { ctx.arc(...stroke.points[0], stroke.radius, 0, 7); ctx.fill(); } else ctx.stroke();
    }
    if (this.cursor && this.tool !== "move") {
      for (const [colour, width] of [["#000", 3], ["#fff", 1.4]]) {
        ctx.strokeStyle = colour; ctx.lineWidth = width * this.dpr / view[0];
        ctx.beginPath(); ctx.arc(this.cursor[0], this.cursor[1], this.radius, 0, 7); ctx.stroke();
      }
    }
    ctx.restore();
    document.querySelector("[data-zoom-shown]").textContent = `${Math.round(this.zoom * 100)} %`;
    document.querySelector("[data-size-shown]").textContent = `${2 * this.radius} px`;
  }

  /** A patch ends on whole pixels of the screen: half covered ones would show as a seam. */
  paintPatch({ region, image }) {
    const { ctx, view } = this, [k, , , , dx, dy] = view;
    const left = Math.ceil(region.x * k + dx), top = Math.ceil(region.y * k + dy);
    const right = Math.floor((region.x + region.width) * k + dx), bottom = Math.floor((region.y + region.height) * k + dy);
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, Math.max(0, right - left), Math.max(0, bottom - top));
    ctx.clip();
    ctx.fillStyle = GROUNDS[this.ground];
    ctx.fillRect(left, top, right - left, bottom - top);
    ctx.setTransform(...view);
    ctx.imageSmoothingEnabled = k < 2;
    ctx.drawImage(image, region.x, region.y);
    ctx.restore();
  }

  toSource(e) {
    const k = this.zoom * this.dpr, { width, height } = this.size;
    const x = (e.offsetX * this.dpr - this.canvas.width / 2) / k + this.x, y = (e.offsetY * this.dpr - this.canvas.height / 2) / k + this.y;
    return [Math.max(0, Math.min(width - 1, x)), Math.max(0, Math.min(height - 1, y))].map((v) => Math.round(v * 10) / 10);
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("wheel", (e) => { e.preventDefault(); this.zoomBy(Math.exp(-e.deltaY * (e.deltaMode ? 0.06 : 0.002)), e); }, { passive: false });
    canvas.addEventListener("pointerdown", (e) => {
      canvas.setPointerCapture(e.pointerId);
      this.pointers.set(e.pointerId, e);
      if (this.pointers.size > 1) this.now = null;   // a second finger: this is a pinch, no stroke
      else if (this.tool !== "move" && e.button === 0) this.begin(this.toSource(e));
      this.draw();
    });
    canvas.addEventListener("pointermove", (e) => {
      const before = this.pointers.get(e.pointerId);
      this.cursor = this.toSource(e);
      if (before && this.now && this.pointers.size === 1) for (const step of e.getCoalescedEvents?.() ?? [e]) this.extend(this.toSource(step));
      else if (before) this.dragBy(before, e);
      if (before) this.pointers.set(e.pointerId, e);
      this.draw();
    });
    for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, (e) => { this.pointers.delete(e.pointerId); if (this.now) this.end(); });
    canvas.addEventListener("pointerleave", () => { if (!this.penDown) this.cursor = null; this.draw(); });
    for (const b of document.querySelectorAll("[data-tool]")) b.addEventListener("click", () => this.choose(b.dataset.tool));
    for (const b of document.querySelectorAll("[data-size]")) b.addEventListener("click", () => this.resizeBrush(b.dataset.size === "larger" ? 1 : -1));
    for (const b of document.querySelectorAll("[data-ground]")) b.addEventListener("click", () => { this.ground = b.dataset.ground; this.press("[data-ground]", b); });
    for (const b of document.querySelectorAll("[data-zoom]")) b.addEventListener("click", () => (b.dataset.zoom === "fit" ? this.fit() : this.zoomBy(b.dataset.zoom === "in" ? 1.25 : 0.8)));
    document.querySelector("[data-undo]").addEventListener("click", () => this.undo());
    document.querySelector("[data-ghost]").addEventListener("click", (e) => this.toggleGhost(e.currentTarget));
    document.addEventListener("keydown", (e) => this.key(e));
    addEventListener("beforeunload", (e) => { if (this.strokes.length && !this.isSaving) e.preventDefault(); });
    this.form.addEventListener("submit", () => { this.isSaving = true; });
  }

  press(all, button) {
    for (const b of document.querySelectorAll(all)) b.setAttribute("aria-pressed", String(b === button));
    this.draw();
  }

  choose(tool) { this.tool = tool; this.penDown = false; this.press("[data-tool]", document.querySelector(`[data-tool=${tool}]`)); }

  toggleGhost(button) { this.ghost = !this.ghost; button.setAttribute("aria-pressed", String(this.ghost)); this.draw(); }

  resizeBrush(by) {
    this.radius = SIZES[Math.max(0, Math.min(SIZES.length - 1, SIZES.indexOf(this.radius) + by))];
    this.draw();
  }

  zoomBy(factor, e = null) {
    const next = Math.max(0.02, Math.min(16, this.zoom * factor));
    if (e) {
      const dx = e.offsetX - this.canvas.width / this.dpr / 2, dy = e.offsetY - this.canvas.height / this.dpr / 2;
      this.x += dx / this.zoom - dx / next; this.y += dy / this.zoom - dy / next;
    }
    this.zoom = next; this.isFit = false;
    this.draw();
  }

  dragBy(before, e) {
    const other = [...this.pointers.entries()].find(([id]) => id !== e.pointerId)?.[1];
    const share = other ? 2 : 1;
    this.x -= (e.offsetX - before.offsetX) / this.zoom / share;
    this.y -= (e.offsetY - before.offsetY) / this.zoom / share;
    if (other) {
      const span = (p) => Math.max(1, Math.hypot(p.offsetX - other.offsetX, p.offsetY - other.offsetY));
      this.zoomBy(span(e) / span(before), { offsetX: (e.offsetX + other.offsetX) / 2, offsetY: (e.offsetY + other.offsetY) / 2 });
    }
    this.isFit = false;
  }

  begin(at) { this.now = { kind: this.tool, radius: this.radius, points: [at] }; }

  extend(at) {
    const [x, y] = this.now.points.at(-1);
    if (Math.hypot(at[0] - x, at[1] - y) >= Math.max(0.5, this.radius / 6) && this.now.points.length < 4000) this.now.points.push(at);
  }

  end() {
    this.strokes.push(this.now);
    this.now = null;
    this.changed();
    this.solve(this.strokes.length);
  }

  changed() {
    this.form.strokes.value = JSON.stringify(this.strokes);
    this.form.querySelector("button").disabled = !this.strokes.length;
    document.querySelector("[data-undo]").disabled = !this.strokes.length;
    this.draw();
  }

  /** One stroke after the other: each sees all that were drawn before it. */
  solve(count) {
    this.line = this.line.then(async () => {
      if (this.strokes.length < count || this.patches.length >= count) return;
      this.status.textContent = this.root.dataset.solving;
      const body = new FormData();
      body.append("strokes", JSON.stringify(this.strokes.slice(0, count)));
      try {
        const answer = await fetch(this.root.dataset.try, { method: "POST", body, headers: { "X-Form-Token": this.root.dataset.token, Accept: "application/json" } });
        const told = await answer.json();
        if (!answer.ok) throw new Error(told.detail);
        const image = new Image();
        image.src = told.picture;
        await image.decode();
        if (this.strokes.length < count) return;
        this.patches[count - 1] = { region: told.region, image };
        this.status.textContent = `${this.root.dataset.solved} ${told.seconds.toFixed(1)} s`;
        this.root.dataset.solvedCount = String(count);
      } catch (error) {
        this.status.textContent = error.message;
        this.strokes.splice(count - 1);
        this.changed();
      }
      this.draw();
    });
  }

  undo() {
    if (!this.strokes.length) return;
    this.strokes.pop();
    this.patches.length = Math.min(this.patches.length, this.strokes.length);
    this.root.dataset.solvedCount = String(this.patches.length);
    this.changed();
  }

  key(e) {
    if (e.target.matches("input, textarea, select")) return;
    const key = keyOf(e);
    if ((e.ctrlKey || e.metaKey) && key === "z") { e.preventDefault(); return this.undo(); }
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const onCanvas = document.activeElement === this.canvas, step = (e.shiftKey ? 12 : 2) / this.zoom;
    const act = {
      k: () => this.choose("keep"), d: () => this.choose("drop"), h: () => this.choose("move"), u: () => this.undo(),
      o: () => this.toggleGhost(document.querySelector("[data-ghost]")), "[": () => this.resizeBrush(-1), "]": () => this.resizeBrush(1),
      "+": () => this.zoomBy(1.25), "=": () => this.zoomBy(1.25), "-": () => this.zoomBy(0.8), 0: () => this.fit(),
      ...(onCanvas ? {
        ArrowLeft: () => this.go(-step, 0), ArrowRight: () => this.go(step, 0), ArrowUp: () => this.go(0, -step), ArrowDown: () => this.go(0, step),
        " ": () => this.pen(), Escape: () => { this.now = null; this.penDown = false; this.draw(); },
      } : {}),
    }[key];
    if (act) { e.preventDefault(); act(); }
  }

  /** The keyboard's pen: Space sets it down and lifts it, the arrows lead it. */
  go(dx, dy) {
    const { width, height } = this.size;
    if (this.tool === "move") { this.x += 10 * dx; this.y += 10 * dy; this.isFit = false; return this.draw(); }
    const [x, y] = this.cursor ?? [this.x, this.y];
    this.cursor = [Math.max(0, Math.min(width - 1, x + dx)), Math.max(0, Math.min(height - 1, y + dy))];
    if (this.now) this.extend(this.cursor);
    const halfW = this.canvas.width / this.dpr / this.zoom / 2, halfH = this.canvas.height / this.dpr / this.zoom / 2;
    this.x = Math.max(this.cursor[0] - halfW, Math.min(this.cursor[0] + halfW, this.x));
    this.y = Math.max(this.cursor[1] - halfH, Math.min(this.cursor[1] + halfH, this.y));
    this.draw();
  }

  pen() {
    if (this.tool === "move") return;
    this.cursor ??= [this.x, this.y];
    if (this.now) { this.penDown = false; this.end(); } else { this.penDown = true; this.begin(this.cursor); this.draw(); }
  }
}

const root = document.querySelector("[data-brush]");
new Brush(root);
root.dataset.ready = "";
