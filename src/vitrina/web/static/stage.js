// The stage: two pictures of one piece under one glass. Everything is placed in pixels of the source.

import { keyOf } from "./keys.js";
import { Strips } from "./strips.js";
import { Layer, apply } from "./tiles.js";

const GROUNDS = { grey: "#777", black: "#000", white: "#fff", magenta: "#f0f" };
const COLOURS = { block: "#ff3b30", warn: "#ffb000", note: "#4fc3f7" };
const LEAST_MS = 700, LEAST_ZOOM = 1, STEP = 1.25;

class Stage {
  constructor(root) {
    const spec = JSON.parse(root.dataset.stage);
    this.root = root;
    this.canvas = root.querySelector("canvas");
    this.ctx = this.canvas.getContext("2d");
    this.layers = Object.fromEntries(Object.entries(spec.layers).map(([name, layer]) => [name, new Layer(layer, () => this.draw())]));
    this.marks = spec.marks;
    this.places = spec.places;
    this.mode = "side"; this.ground = "grey"; this.curtain = 0.5; this.blink = false;
    this.showsMarks = true; this.loupe = null; this.hasLoupe = false; this.mark = -1; this.place = -1;
    this.labels = { source: root.dataset.left, edit: root.dataset.right };
    this.pointers = new Map();
    new ResizeObserver(() => this.resize()).observe(root);
    this.resize();
    this.fit();
    this.listen();
    setInterval(() => { if (this.mode === "blink") { this.blink = !this.blink; this.draw(); } }, 600);
  }

  resize() {
    const box = this.root.getBoundingClientRect();
    this.dpr = window.devicePixelRatio || 1;
    const wasFit = this.isFit;
    this.canvas.width = Math.max(1, Math.round(box.width * this.dpr));
    this.canvas.height = Math.max(1, Math.round(box.height * this.dpr));
    if (wasFit) this.fit(); else this.draw();
  }

  get pane() { return { w: this.mode === "side" ? this.canvas.width / 2 : this.canvas.width, h: this.canvas.height }; }

  /** The whole edit, or the whole source where only that is shown. */
  fit() {
    const layer = this.mode === "source" ? this.layers.source : this.layers.edit;
    const corners = [[0, 0], [layer.width, 0], [0, layer.height], [layer.width, layer.height]].map(([x, y]) => apply(layer.toSource, x, y));
    const xs = corners.map((c) => c[0]), ys = corners.map((c) => c[1]);
    this.lookAt({ x: Math.min(...xs), y: Math.min(...ys), width: Math.max(...xs) - Math.min(...xs), height: Math.max(...ys) - Math.min(...ys) }, 0.96, 0);
    this.isFit = true;
  }

  lookAt(region, share = 0.6, least = LEAST_ZOOM) {
    const { w, h } = this.pane;
    this.x = region.x + region.width / 2;
    this.y = region.y + region.height / 2;
    this.zoom = Math.max(least, Math.min(8, share * Math.min(w / region.width, h / region.height) / this.dpr));
    this.isFit = false;
    this.draw();
  }

  zoomBy(factor, at = null) {
    const next = Math.max(0.02, Math.min(16, this.zoom * factor));
    if (at) {
      const box = this.boxAt(at.x), dx = (at.x - box.x - box.w / 2) / this.dpr, dy = (at.y - box.h / 2) / this.dpr;
      this.x += dx / this.zoom - dx / next;
      this.y += dy / this.zoom - dy / next;
    }
    this.zoom = next; this.isFit = false;
    this.draw();
  }

  boxAt(x) {
    const half = this.canvas.width / 2;
    return this.mode === "side" ? { x: x < half ? 0 : half, w: half, h: this.canvas.height } : { x: 0, w: this.canvas.width, h: this.canvas.height };
  }

  view(box) {
    const k = this.zoom * this.dpr;
    return [k, 0, 0, k, box.x + box.w / 2 - this.x * k, box.y + box.h / 2 - this.y * k];
  }

  draw() {
    if (this.queued) return;
    this.queued = true;
    requestAnimationFrame(() => { this.queued = false; this.paint(); });
  }

  paint() {
    const { ctx, canvas } = this, all = { x: 0, y: 0, w: canvas.width, h: canvas.height };
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.fillStyle = getComputedStyle(this.root.parentElement).backgroundColor;
    ctx.fillRect(0, 0, canvas.width, canvas.height);
    if (this.mode === "side") {
      const half = canvas.width / 2;
      this.pane1("source", { ...all, w: half }, { ...all, w: half });
      this.pane1("edit", { ...all, x: half, w: half }, { ...all, x: half, w: half });
      ctx.fillStyle = "#2b2b2b";
      ctx.fillRect(half - this.dpr, 0, 2 * this.dpr, canvas.height);
    } else if (this.mode === "curtain") {
      const at = this.curtain * canvas.width;
      this.pane1("source", all, { ...all, w: at });
      this.pane1("edit", all, { ...all, x: at, w: canvas.width - at });
      ctx.fillStyle = "#fff";
      ctx.fillRect(at - this.dpr, 0, 2 * this.dpr, canvas.height);
    } else {
      const name = this.mode === "blink" ? (this.blink ? "source" : "edit") : this.mode;
      this.pane1(name, all, all);
    }
    if (this.hasLoupe && this.loupe) this.paintLoupe();
    const shown = document.querySelector("[data-zoom-shown]");
    shown.textContent = `${Math.round(this.zoom * 100)} %`;
    strips?.paintSoon();
  }

  pane1(name, box, clip) {
    const { ctx } = this;
    ctx.save();
    ctx.beginPath();
    ctx.rect(clip.x, clip.y, clip.w, clip.h);
    ctx.clip();
    const layer = this.layers[name] ?? this.layers.edit;
    layer.draw(ctx, this.view(box), clip, GROUNDS[this.ground]);
    if (this.showsMarks) this.paintMarks(box);
    if (this.labels[name] && this.mode !== "edit" && this.mode !== "source") this.label(this.labels[name], clip, name === "edit" && this.mode === "curtain");
    ctx.restore();
  }

  label(text, clip, atRight) {
    const { ctx, dpr } = this;
    ctx.font = `600 ${13 * dpr}px system-ui, sans-serif`;
    const width = ctx.measureText(text).width + 16 * dpr, x = atRight ? clip.x + clip.w - width - 8 * dpr : clip.x + 8 * dpr;
    ctx.fillStyle = "#000b";
    ctx.fillRect(x, 8 * dpr, width, 24 * dpr);
    ctx.fillStyle = "#fff";
    ctx.textBaseline = "middle";
    ctx.fillText(text, x + 8 * dpr, 20.5 * dpr);
  }

  paintMarks(box) {
    const { ctx, dpr } = this, view = this.view(box);
    const frame = (region, colour, text, thick) => {
      const [x, y] = apply(view, region.x, region.y), w = region.width * view[0], h = region.height * view[3];
      const grow = Math.max(0, (14 * dpr - Math.min(w, h)) / 2);
      ctx.lineWidth = thick * dpr + 2 * dpr; ctx.strokeStyle = "#000a";
      ctx.strokeRect(x - grow, y - grow, w + 2 * grow, h + 2 * grow);
      ctx.lineWidth = thick * dpr; ctx.strokeStyle = colour;
      ctx.strokeRect(x - grow, y - grow, w + 2 * grow, h + 2 * grow);
      if (!text) return;
      ctx.font = `700 ${12 * dpr}px system-ui, sans-serif`;
      const wide = ctx.measureText(text).width + 8 * dpr;
      ctx.fillStyle = colour;
      ctx.fillRect(x - grow, y - grow - 18 * dpr, wide, 18 * dpr);
      ctx.fillStyle = "#000";
      ctx.textBaseline = "middle";
      ctx.fillText(text, x - grow + 4 * dpr, y - grow - 8.5 * dpr);
    };
    if (this.place >= 0) frame(this.places[this.place].region, "#fff", "", 1);
    this.marks.forEach((mark, n) => { if (mark.region) frame(mark.region, COLOURS[mark.severity], String(n + 1), n === this.mark ? 3 : 1.5); });
  }

  /** A round glass over the pointer: the other picture, or the same one nearer. */
  paintLoupe() {
    const { ctx, dpr } = this, r = 110 * dpr, { x, y } = this.loupe, box = { ...this.boxAt(x), y: 0 };
    const view = this.view(box), k = 3, name = this.mode === "side" ? (box.x ? "edit" : "source") : this.mode === "source" ? "edit" : "source";
    ctx.save();
    ctx.beginPath(); ctx.arc(x, y, r, 0, 7); ctx.clip();
    ctx.fillStyle = "#777"; ctx.fillRect(x - r, y - r, 2 * r, 2 * r);
    const zoomed = this.mode === "side" ? [view[0] * k, 0, 0, view[3] * k, x - (x - view[4]) * k, y - (y - view[5]) * k] : view;
    this.layers[name].draw(ctx, zoomed, { x: x - r, y: y - r, w: 2 * r, h: 2 * r }, GROUNDS[this.ground]);
    ctx.restore();
    ctx.lineWidth = 3 * dpr; ctx.strokeStyle = "#fff";
    ctx.beginPath(); ctx.arc(x, y, r, 0, 7); ctx.stroke();
  }

  listen() {
    const { canvas } = this, at = (e) => ({ x: e.offsetX * this.dpr, y: e.offsetY * this.dpr });
    canvas.addEventListener("wheel", (e) => { e.preventDefault(); this.zoomBy(Math.exp(-e.deltaY * (e.deltaMode ? 0.06 : 0.002)), at(e)); }, { passive: false });
    canvas.addEventListener("dblclick", (e) => this.zoomBy(2, at(e)));
    canvas.addEventListener("pointerdown", (e) => {
      canvas.setPointerCapture(e.pointerId);
      this.pointers.set(e.pointerId, at(e));
      this.drags = this.mode === "curtain" && Math.abs(at(e).x - this.curtain * canvas.width) < 24 * this.dpr;
    });
    canvas.addEventListener("pointermove", (e) => {
      const now = at(e), before = this.pointers.get(e.pointerId);
      this.loupe = now;
      if (this.hasLoupe) this.draw();
      if (!before) return;
      const others = [...this.pointers.entries()].filter(([id]) => id !== e.pointerId);
      if (others.length) {
        const other = others[0][1], span = (p) => Math.hypot(p.x - other.x, p.y - other.y);
        this.zoomBy(span(now) / Math.max(1, span(before)), { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
      }
      if (this.drags) this.curtain = Math.max(0, Math.min(1, now.x / canvas.width));
      else this.pan(before.x - now.x, before.y - now.y, others.length + 1);
      this.pointers.set(e.pointerId, now);
      this.draw();
    });
    for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, (e) => { this.pointers.delete(e.pointerId); this.drags = false; });
    canvas.addEventListener("pointerleave", () => { this.loupe = null; this.draw(); });
    for (const b of document.querySelectorAll("[data-mode]")) b.addEventListener("click", () => this.setMode(b.dataset.mode));
    for (const b of document.querySelectorAll("[data-ground]")) b.addEventListener("click", () => this.setGround(b.dataset.ground));
    for (const b of document.querySelectorAll("[data-zoom]")) b.addEventListener("click", () => this.zoomTo(b.dataset.zoom));
    for (const b of document.querySelectorAll("[data-toggle]")) b.addEventListener("click", () => this.toggle(b.dataset.toggle));
    for (const b of document.querySelectorAll("[data-mark]")) b.addEventListener("click", () => this.goToMark(Number(b.dataset.mark)));
    document.querySelector("[data-next-place]")?.addEventListener("click", () => this.nextPlace());
    document.querySelector("[data-help]").addEventListener("click", () => document.querySelector("dialog.keys").showModal());
    document.querySelector("[data-go]")?.addEventListener("change", (e) => e.target.form.submit());
    document.addEventListener("keydown", (e) => this.key(e));
  }

  pan(dx, dy, share = 1) {
    this.x += dx / this.dpr / this.zoom / share;
    this.y += dy / this.dpr / this.zoom / share;
    this.isFit = false;
    this.draw();
  }

  moveCurtain(by) {
    this.curtain = Math.max(0, Math.min(1, this.curtain + by));
    if (this.mode !== "curtain") this.setMode("curtain"); else this.draw();
  }

  setMode(mode) {
    const wasFit = this.isFit;
    this.mode = mode;
    for (const b of document.querySelectorAll("[data-mode]")) b.setAttribute("aria-pressed", String(b.dataset.mode === mode));
    if (wasFit) this.fit(); else this.draw();
  }

  setGround(ground) {
    this.ground = ground;
    for (const b of document.querySelectorAll("[data-ground]")) b.setAttribute("aria-pressed", String(b.dataset.ground === ground));
    if (this.layers.master && this.mode !== "master") this.setMode("master");
    this.draw();
  }

  zoomTo(how) {
    if (how === "in" || how === "out") return this.zoomBy(how === "in" ? STEP : 1 / STEP);
    if (how === "fit") return this.fit();
    this.zoom = how === "one" ? 1 : 4; this.isFit = false;
    this.draw();
  }

  toggle(what) {
    const on = what === "marks" ? (this.showsMarks = !this.showsMarks) : (this.hasLoupe = !this.hasLoupe);
    document.querySelector(`[data-toggle=${what}]`).setAttribute("aria-pressed", String(on));
    this.draw();
  }

  goToMark(n) {
    if (!this.marks[n]?.region) return;
    this.mark = n;
    for (const b of document.querySelectorAll("[data-mark]")) b.setAttribute("aria-current", String(Number(b.dataset.mark) === n));
    document.querySelector(`[data-mark="${n}"]`)?.scrollIntoView({ block: "nearest" });
    if (["heat", "master"].includes(this.mode)) this.setMode("side");
    this.lookAt(this.marks[n].region, 0.35, 0.25);
  }

  stepMark(by) {
    const shown = this.marks.map((m, n) => (m.region ? n : -1)).filter((n) => n >= 0);
    if (shown.length) this.goToMark(shown[(shown.indexOf(this.mark) + by + (this.mark < 0 && by < 0 ? 1 : 0) + shown.length) % shown.length]);
  }

  nextPlace() {
    if (!this.places.length) return;
    const unseen = this.places.map((_, n) => n).filter((n) => !desk?.seen.has(n));
    const from = unseen.length ? unseen : this.places.map((_, n) => n);
    this.place = from.find((n) => n > this.place) ?? from[0];
    if (!["side", "curtain", "blink", "edit"].includes(this.mode)) this.setMode("side");
    this.lookAt(this.places[this.place].region, 0.8, LEAST_ZOOM);
    this.canvas.focus({ preventScroll: true });
  }

  /** The places whose middle is on the screen now, near enough to judge. */
  get seenNow() {
    if (document.hidden || this.zoom < LEAST_ZOOM || !["side", "curtain", "blink", "edit"].includes(this.mode)) return [];
    const { w, h } = this.pane, dx = w / this.dpr / this.zoom / 2, dy = h / this.dpr / this.zoom / 2;
    return this.places.map((p, n) => ({ n, r: p.region })).filter(({ r }) => Math.abs(r.x + r.width / 2 - this.x) < dx && Math.abs(r.y + r.height / 2 - this.y) < dy).map(({ n }) => n);
  }

  key(e) {
    if (e.ctrlKey || e.metaKey || e.altKey || document.querySelector("dialog[open]") || e.target.matches("input, textarea, select")) return;
    const reject = document.querySelector("#reject"), key = keyOf(e);
    if (reject?.open) {
      if (key === "Escape") { reject.open = false; return; }
      const button = reject.querySelector(`[data-key="${CSS.escape(key)}"]`);
      if (button) { e.preventDefault(); button.form.requestSubmit(button); return; }
    }
    const modes = [...document.querySelectorAll("[data-mode]")].map((b) => [b.getAttribute("aria-keyshortcuts") ?? { master: "6", heat: "7" }[b.dataset.mode], b.dataset.mode]);
    const mode = modes.find(([k]) => k === key)?.[1];
    const far = 0.2 * Math.min(this.pane.w, this.pane.h);
    const act = {
      "+": () => this.zoomBy(STEP), "=": () => this.zoomBy(STEP), "-": () => this.zoomBy(1 / STEP), 0: () => this.fit(),
      n: () => this.stepMark(1), p: () => this.stepMark(-1), ".": () => this.nextPlace(), f: () => this.toggle("marks"),
      l: () => this.toggle("loupe"), g: () => this.setGround(Object.keys(GROUNDS)[(Object.keys(GROUNDS).indexOf(this.ground) + 1) % 4]),
      s: () => strips?.next(), "[": () => this.moveCurtain(-0.05), "]": () => this.moveCurtain(0.05),
      y: () => desk?.yes(), a: () => document.querySelector("[data-approve]")?.focus(),
      r: () => { if (reject) { reject.open = true; reject.querySelector("summary").focus(); } },
      "?": () => document.querySelector("dialog.keys").showModal(),
      ...(e.target.matches("button, summary, a") ? {} : {
        ArrowLeft: () => this.pan(-far, 0), ArrowRight: () => this.pan(far, 0), ArrowUp: () => this.pan(0, -far), ArrowDown: () => this.pan(0, far),
      }),
    }[key] ?? (mode ? () => this.setMode(mode) : null);
    if (act) { e.preventDefault(); act(); }
  }
}

// The desk: how long each place was looked at is told to the house, which opens the checklist line by line.
class Desk {
  constructor(root, stage) {
    this.root = root;
    this.stage = stage;
    this.seen = new Set(JSON.parse(root.dataset.seen));
    this.ms = new Map();
    this.last = performance.now();
    for (const form of root.querySelectorAll(".checklist form")) form.addEventListener("submit", (e) => { e.preventDefault(); this.answer(form); });
    setInterval(() => this.tick(), 200);
  }

  tick() {
    const now = performance.now(), passed = Math.min(400, now - this.last);
    this.last = now;
    for (const n of this.stage.seenNow) this.ms.set(n, (this.ms.get(n) ?? 0) + passed);
    const news = [...this.ms].some(([n, ms]) => !this.seen.has(n) && ms >= LEAST_MS);
    if (news || [...this.ms.values()].some((ms) => ms > 10_000)) this.tell();
  }

  async tell() {
    if (this.telling) return;
    this.telling = true;
    const zoom = Math.round(this.stage.zoom * 100);
    const seen = [...this.ms].map(([place, ms]) => ({ place, ms: Math.ceil(ms), zoom: Math.max(100, zoom) }));
    this.ms.clear();
    const body = new FormData();
    body.append("seen", JSON.stringify(seen));
    try { await this.send(this.root.dataset.look, body); } finally { this.telling = false; }
  }

  async answer(form) {
    const body = new FormData(form), pressed = form.querySelector("button").getAttribute("aria-pressed") === "true";
    body.set("answer", pressed ? "no" : "yes");
    await this.send(form.action, body);
  }

  async yes() {
    const open = this.root.querySelector(".checklist button:enabled[aria-pressed=false]");
    if (open) await this.answer(open.form);
  }

  async send(to, body) {
    const answer = await fetch(to, { method: "POST", body, headers: { "X-Form-Token": this.root.dataset.token, Accept: "application/json" } });
    if (answer.ok) this.show(await answer.json());
  }

  show(desk) {
    this.seen = new Set(desk.seen);
    this.root.querySelector("[data-seen-count]").textContent = String(desk.seen.length);
    for (const line of desk.lines) {
      const button = this.root.querySelector(`[data-line="${CSS.escape(line.line)}"] button`);
      if (!button) continue;
      button.disabled = !line.open;
      button.setAttribute("aria-pressed", String(line.answer === true));
    }
    this.root.querySelector("[data-approve]").disabled = desk.lines.some((line) => line.answer !== true);
  }
}

const root = document.querySelector("[data-stage]"), paper = document.querySelector("[data-desk]");
let desk = null, strips = null;
const stage = new Stage(root);
if (document.querySelector("[data-strips]")) strips = new Strips(document.querySelector("[data-strips]"), stage);
if (paper) desk = new Desk(paper, stage);
if (new URLSearchParams(location.search).get("heat")) document.querySelector("[data-mode=heat]")?.click();
root.dataset.ready = ""; // keys are heard from here on
