// A picture as a pyramid of tiles, drawn onto a canvas through an affine matrix.

export const apply = ([a, b, c, d, e, f], x, y) => [a * x + c * y + e, b * x + d * y + f];
export const invert = ([a, b, c, d, e, f]) => {
  const k = a * d - b * c;
  return [d / k, -b / k, -c / k, a / k, (c * f - d * e) / k, (b * e - a * f) / k];
};
export const times = (m, n) => [
  m[0] * n[0] + m[2] * n[1], m[1] * n[0] + m[3] * n[1], m[0] * n[2] + m[2] * n[3], m[1] * n[2] + m[3] * n[3],
  m[0] * n[4] + m[2] * n[5] + m[4], m[1] * n[4] + m[3] * n[5] + m[5],
];

const MOST = 400;      // tiles kept per picture: 400 of 512 px are about 400 MB at most, far less in use
const AT_ONCE = 8;

export class Layer {
  constructor(spec, redraw) {
    Object.assign(this, spec);
    this.redraw = redraw;
    this.tiles = new Map();
    this.wanted = [];
    this.loading = 0;
    this.fromSource = spec.matrix;
    this.toSource = invert(spec.matrix);
  }

  get failed() { return [...this.tiles.values()].some((t) => t.failed); }

  /** Draw what lies in `box` (device px); `view` takes source pixels to device pixels. */
  draw(ctx, view, box, ground) {
    const m = times(view, this.toSource);
    const size = Math.sqrt(Math.abs(m[0] * m[3] - m[1] * m[2]));
    const back = invert(m);
    const corners = [[box.x, box.y], [box.x + box.w, box.y], [box.x, box.y + box.h], [box.x + box.w, box.y + box.h]].map(([x, y]) => apply(back, x, y));
    const left = Math.max(0, Math.min(...corners.map((c) => c[0]))), right = Math.min(this.width, Math.max(...corners.map((c) => c[0])));
    const top = Math.max(0, Math.min(...corners.map((c) => c[1]))), bottom = Math.min(this.height, Math.max(...corners.map((c) => c[1])));
    ctx.save();
    ctx.setTransform(...m);
    ctx.imageSmoothingEnabled = size < 2;
    ctx.imageSmoothingQuality = "high";
    if (this.alpha) { ctx.fillStyle = ground; ctx.fillRect(0, 0, this.width, this.height); }
    const finest = Math.max(0, Math.min(this.levels - 1, this.levels - 1 + Math.ceil(Math.log2(size) - 0.2)));
    this.wanted = [];
    const levels = this.alpha ? this.bestLevel(finest, left, top, right, bottom) : [...Array(finest + 1).keys()];
    if (right > left && bottom > top) for (const level of levels) this.drawLevel(ctx, level, [0, finest].includes(level), size, left, top, right, bottom);
    ctx.restore();
    this.load();
  }

  // See-through tiles must not be laid over coarser ones: the finest level that is all there, and ask for the wanted.
  bestLevel(finest, ...area) {
    let best = 0;
    for (let level = 0; level <= finest; level++) if (this.isThere(level, ...area)) best = level;
    if (best < finest) this.each(finest, ...area, (key) => { if (!this.tiles.has(key)) this.wanted.push(key); });
    return [best];
  }

  each(level, left, top, right, bottom, act) {
    const scale = 2 ** (this.levels - 1 - level), span = this.tile * scale;
    for (let y = Math.floor(top / span); y * span < bottom; y++)
      for (let x = Math.floor(left / span); x * span < right; x++) act(`${level}/${x}_${y}`, x, y, scale, span);
  }

  isThere(level, ...area) {
    let all = true;
    this.each(level, ...area, (key) => { all &&= Boolean(this.tiles.get(key)?.image); });
    return all;
  }

  drawLevel(ctx, level, isAsked, size, ...area) {
    const over = this.alpha ? 0 : 0.6 / size;   // hides the seams that a slight turn would open
    this.each(level, ...area, (key, x, y, scale, span) => {
      const tile = this.tiles.get(key);
      if (!tile) { if (isAsked) this.wanted.push(key); return; }
      this.tiles.delete(key); this.tiles.set(key, tile);
      if (tile.image) ctx.drawImage(tile.image, x * span, y * span, tile.image.width * scale + over, tile.image.height * scale + over);
    });
  }

  load() {
    while (this.loading < AT_ONCE && this.wanted.length) {
      const key = this.wanted.shift();
      if (this.tiles.has(key)) continue;
      const tile = { image: null, failed: false };
      this.tiles.set(key, tile);
      this.loading++;
      fetch(`${this.base}tiles/${key}.${this.alpha ? "webp" : "jpg"}${this.query}`)
        .then((answer) => { if (!answer.ok) throw new Error(answer.status); return answer.blob(); })
        .then((blob) => createImageBitmap(blob, { premultiplyAlpha: "premultiply" }))
        .then((image) => { tile.image = image; })
        .catch(() => { tile.failed = true; setTimeout(() => { this.tiles.delete(key); this.redraw(); }, 3000); })
        .finally(() => { this.loading--; this.redraw(); });
    }
    for (const [key, tile] of this.tiles) {
      if (this.tiles.size <= MOST) break;
      tile.image?.close();
      this.tiles.delete(key);
    }
  }
}
