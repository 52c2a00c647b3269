// A frame or an image of a flow video. Like a Field it may have the means of cells instead of pixels.

export class Picture {
  // size is {width, height} of the frame in pixels; it is that of the bitmap if cell is 1.
  constructor(bitmap, cell = 1, size = bitmap) {
    const { width, height } = cell === 1 ? bitmap : size;
    Object.assign(this, { bitmap, cell, width, height, columns: bitmap.width, rows: bitmap.height });
    this.bytes = 4 * this.columns * this.rows;
  }
}

export async function pictureOf(blob, cell, size) {
  return new Picture(await createImageBitmap(blob, { colorSpaceConversion: 'none', premultiplyAlpha: 'none' }), cell, size);
}

// spans returns the size of a Picture or Field with all its cells, relative to its own: the last cells may reach over its edges.
export function spans({ width, height, columns, rows, cell }) {
  return [(columns * cell) / width, (rows * cell) / height];
}
