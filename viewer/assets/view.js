// Where the panes are, and which pixel is where. Lengths are in pixels of the canvas unless they are said to be of the picture.

export class View {
  constructor() {
    this.size = [1, 1]; // of the picture, in its pixels
    this.canvas = [1, 1];
    this.magnification = 1; // relative to a picture that fits its pane
    this.centre = [0.5, 0.5]; // of the part that is shown, as a part of the picture
    this.layout = 'side';
    this.split = 0.5; // position of the line between two results, as a part of the pane
  }

  fit() {
    this.magnification = 1;
    this.centre = [0.5, 0.5];
  }

  // cells returns the rectangles of the panes.
  cells() {
    const [width, height] = this.canvas;
    if (this.layout === 'single' || this.layout === 'split') return [[0, 0, width, height]];
    const [w, h] = this.size;
    const beside = Math.min(width / 2 / w, height / h);
    const above = Math.min(width / w, height / 2 / h);
    if (beside >= above) {
      const half = Math.floor(width / 2);
      return [
        [0, 0, half, height],
        [half, 0, width - half, height],
      ];
    }
    const half = Math.floor(height / 2);
    return [
      [0, 0, width, half],
      [0, half, width, height - half],
    ];
  }

  // zoom returns the length of a pixel of the picture. Above 1 it is exact, so that every pixel can be seen.
  zoom() {
    const [[, , w, h]] = this.cells();
    return Math.min((w - 2) / this.size[0], (h - 2) / this.size[1]) * this.magnification;
  }

  // origin returns where the picture's upper left corner is in a cell.
  origin([x, y, w, h]) {
    const zoom = this.zoom();
    return [Math.round(x + w / 2 - this.centre[0] * this.size[0] * zoom), Math.round(y + h / 2 - this.centre[1] * this.size[1] * zoom)];
  }

  // pixelAt returns the position in the picture that is shown at a point, in its pixels, and the number of its pane.
  pixelAt(px, py) {
    const cells = this.cells();
    const index = cells.findIndex(([x, y, w, h]) => px >= x && py >= y && px < x + w && py < y + h);
    if (index < 0) return null;
    const [ox, oy] = this.origin(cells[index]);
    return { x: (px - ox) / this.zoom(), y: (py - oy) / this.zoom(), pane: index };
  }

  // place returns where the centre of a pixel is shown in a cell.
  place(cell, x, y) {
    const [ox, oy] = this.origin(cell);
    return [ox + (x + 0.5) * this.zoom(), oy + (y + 0.5) * this.zoom()];
  }

  // magnify zooms about a point, which stays where it is.
  magnify(factor, px, py) {
    const before = this.pixelAt(px, py);
    this.magnification = Math.min(Math.max(this.magnification * factor, 1), 256);
    if (this.magnification === 1) return this.fit();
    const after = this.pixelAt(px, py);
    if (before && after) this.move(before.x - after.x, before.y - after.y);
  }

  // move moves what is shown by pixels of the picture.
  move(dx, dy) {
    const limited = (v) => Math.min(Math.max(v, 0), 1);
    this.centre = [limited(this.centre[0] + dx / this.size[0]), limited(this.centre[1] + dy / this.size[1])];
  }
}
