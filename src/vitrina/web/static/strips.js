// The strips: every stone and every link of the photo beside the picture's, numbered, and the tones of the metal.

const SIDE = 92, KINDS = ["stones", "links", "metal"];

export class Strips {
  constructor(root, stage) {
    this.root = root;
    this.stage = stage;
    this.list = root.querySelector("ol");
    this.note = root.querySelector("[data-note]");
    this.kind = "";
    this.told = root.dataset.told ? JSON.parse(root.dataset.told) : null;
    this.cells = [];
    for (const b of document.querySelectorAll("[data-strip]")) b.addEventListener("click", () => this.show(b.dataset.strip === this.kind ? "" : b.dataset.strip));
  }

  next() { this.show(["", ...KINDS][(["", ...KINDS].indexOf(this.kind) + 1) % 4]); }

  async show(kind) {
    this.kind = kind;
    for (const b of document.querySelectorAll("[data-strip]")) b.setAttribute("aria-pressed", String(b.dataset.strip === kind));
    this.root.hidden = !kind;
    this.list.replaceChildren();
    this.cells = [];
    if (!kind) return;
    this.say(this.root.dataset.wait);
    try {
      this.told ??= await this.ask();
    } catch (error) { return this.say(error.message); }
    if (this.kind !== kind) return;
    const found = this.told[kind];
    this.say(found.length ? "" : this.told.needs_cutout ? this.root.dataset.needs : this.root.dataset[`no${kind}`]);
    for (const item of found) this.list.append(kind === "metal" ? this.tone(item) : this.cell(item));
    this.paintSoon();
  }

  async ask() {
    const answer = await fetch(this.root.dataset.strips, { headers: { Accept: "application/json" } });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.detail);
    return told;
  }

  say(text) { this.note.textContent = text; this.note.hidden = !text; }

  cell(item) {
    const button = this.button(item), pair = document.createElement("span");
    pair.className = "pair";
    for (const name of ["source", "edit"]) {
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = Math.round(SIDE * (window.devicePixelRatio || 1));
      canvas.setAttribute("aria-hidden", "true");
      pair.append(canvas);
      this.cells.push({ canvas, name, region: item.region });
    }
    button.prepend(pair);
    return this.wrapped(button);
  }

  tone(item) {
    const button = this.button(item), pair = document.createElement("span");
    pair.className = "pair patch";
    for (const colour of [item.before, item.after]) {
      const swatch = document.createElement("canvas");
      swatch.width = swatch.height = 8;
      swatch.setAttribute("aria-hidden", "true");
      const ctx = swatch.getContext("2d");
      ctx.fillStyle = colour;
      ctx.fillRect(0, 0, 8, 8);
      pair.append(swatch);
    }
    button.prepend(pair);
    return this.wrapped(button);
  }

  button(item) {
    const button = document.createElement("button"), words = document.createElement("span");
    const name = item.number ? `№ ${item.number}` : this.root.dataset[item.what];
    const tone = item.de00 === undefined ? "" : `ΔE00 ${item.de00.toFixed(1)}`, limit = item.limit ? ` / ${item.limit}` : "";
    const light = item.limit ? ` · ΔL* ${item.lightness > 0 ? "+" : ""}${item.lightness.toFixed(0)}` : "";
    button.type = "button";
    words.append(Object.assign(document.createElement("b"), { textContent: name }), ` ${tone}${limit}${light}`);
    if (item.limit && item.de00 > item.limit) button.classList.add("over");
    button.append(words);
    button.addEventListener("click", () => this.stage.lookAt(item.region, 0.5, 0.25));
    return button;
  }

  wrapped(button) { const li = document.createElement("li"); li.append(button); return li; }

  paintSoon() {
    if (this.timer || !this.cells.length) return;
    this.timer = setTimeout(() => { this.timer = null; this.paint(); }, 120);
  }

  paint() {
    for (const { canvas, name, region } of this.cells) {
      const k = 0.86 * canvas.width / Math.max(region.width, region.height), half = canvas.width / 2;
      const view = [k, 0, 0, k, half - (region.x + region.width / 2) * k, half - (region.y + region.height / 2) * k];
      const ctx = canvas.getContext("2d");
      ctx.setTransform(1, 0, 0, 1, 0, 0);
      ctx.fillStyle = "#777";
      ctx.fillRect(0, 0, canvas.width, canvas.height);
      this.stage.layers[name].draw(ctx, view, { x: 0, y: 0, w: canvas.width, h: canvas.height }, "#777");
    }
  }
}
