// The painter for browsers without WebGL 2, on a 2D canvas. It has the methods of GLPainter.

import { spans } from './picture.js';

export class RasterPainter {
  constructor(canvas, colours) {
    this.canvas = canvas;
    this.context = canvas.getContext('2d', { alpha: false });
    this.colours = colours;
    this.slots = {};
    this.images = new Map(); // painted pictures by what they show
  }

  fits() {
    return true;
  }

  setField(slot, field) {
    this.set(slot, field);
  }

  setPicture(slot, picture) {
    this.set(slot, picture);
  }

  progress() {
    return false;
  }

  set(slot, content) {
    if (this.slots[slot] === content) return;
    this.slots[slot] = content || undefined;
    this.images.clear();
  }

  draw(panes) {
    const c = this.context;
    c.fillStyle = '#000';
    c.fillRect(0, 0, this.canvas.width, this.canvas.height);
    for (const pane of panes) {
      const image = this.image(pane);
      if (!image) continue;
      c.save();
      c.beginPath();
      c.rect(...pane.rect);
      c.clip();
      c.imageSmoothingEnabled = pane.zoom < 1;
      const [across, down] = spans(image);
      c.drawImage(image.bitmap, pane.origin[0], pane.origin[1], pane.size[0] * pane.zoom * across, pane.size[1] * pane.zoom * down);
      c.restore();
    }
  }

  // image returns what a pane shows as a picture with the entries of its field or Picture, null if something is missing.
  image(pane) {
    const picture = this.slots[pane.picture];
    if (pane.style === 'frame' || pane.style === 'painted') return picture;
    const a = this.slots[pane.a];
    const b = this.slots[pane.b];
    const { style, scale, range, mix } = pane;
    const base = style === 'arrows' ? picture : a;
    if (!base || (style === 'overlay' && !picture) || (style === 'difference' && !b)) return null;
    if (style === 'confidence' && !a.confidence) return null;
    const key = [style, pane.a, pane.b, pane.picture, scale, range, mix].join();
    let image = this.images.get(key);
    if (!image) {
      image = this.painted(base, { style, a, b, picture, scale, range, mix });
      if (this.images.size > 3) this.images.clear();
      this.images.set(key, image);
    }
    return image;
  }

  painted(base, { style, a, b, picture, scale, range, mix }) {
    const { columns, rows, cell, width, height } = base;
    const bitmap = document.createElement('canvas');
    Object.assign(bitmap, { width: columns, height: rows });
    const context = bitmap.getContext('2d', { willReadFrequently: true });
    if (style === 'overlay' || style === 'arrows') {
      const [across, down] = spans(picture);
      context.drawImage(picture.bitmap, 0, 0, (width / cell) * across, (height / cell) * down);
    }
    const image = context.getImageData(0, 0, columns, rows);
    const rgba = image.data;
    const perPixel = Math.fround(1 / scale);
    const paint = {
      flow: (i) => this.flow(a, i, perPixel, rgba),
      overlay: (i) => this.overlay(a, i, perPixel, mix, rgba),
      arrows: (i) => dim(rgba, i),
      confidence: (i) => {
        if (known(a, i)) this.colours.grade(a.confidence[i] / 255, rgba, 4 * i);
      },
      difference: (i) => {
        if (!known(a, i) || !known(b, i)) return;
        const du = a.component(2 * i) - b.component(2 * i);
        const dv = a.component(2 * i + 1) - b.component(2 * i + 1);
        this.colours.grade(Math.sqrt(du * du + dv * dv) / range, rgba, 4 * i);
      },
    }[style];
    for (let i = 0; i < columns * rows; i++) {
      paint(i);
      rgba[4 * i + 3] = 255;
    }
    context.putImageData(image, 0, 0);
    return { bitmap, columns, rows, cell, width, height };
  }

  flow(field, i, perPixel, out) {
    if (known(field, i)) this.colours.paint(field.component(2 * i) * perPixel, field.component(2 * i + 1) * perPixel, out, 4 * i);
  }

  // overlay reads the frame from out.
  overlay(field, i, perPixel, mix, out) {
    const k = 4 * i;
    const under = [out[k], out[k + 1], out[k + 2]];
    let over = [0, 0, 0];
    let both = under.map((level) => Math.floor(level / 2));
    if (known(field, i)) {
      this.colours.paint(field.component(2 * i) * perPixel, field.component(2 * i + 1) * perPixel, over, 0);
      const strength = 255 - Math.min(...over);
      const luma = (54 * under[0] + 183 * under[1] + 19 * under[2] + 128) >> 8;
      const light = 64 + Math.floor((luma * 191) / 255);
      both = under.map((level, c) => {
        const base = Math.floor((light * strength + level * (255 - strength) + 127) / 255);
        return Math.floor((over[c] * base + 127) / 255);
      });
    }
    for (let c = 0; c < 3; c++) {
      out[k + c] = mix <= 0.5 ? under[c] + 2 * mix * (both[c] - under[c]) : both[c] + (2 * mix - 1) * (over[c] - both[c]);
    }
  }

  pixels() {
    return new Uint8Array(this.context.getImageData(0, 0, this.canvas.width, this.canvas.height).data);
  }
}

function known(field, i) {
  const u = field.component(2 * i);
  const v = field.component(2 * i + 1);
  return u - u === 0 && v - v === 0;
}

function dim(rgba, i) {
  for (let c = 4 * i; c < 4 * i + 3; c++) rgba[c] >>= 1;
}
