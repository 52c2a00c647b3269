// A flow field as the server sends it; viewer/packet.go describes the format.

// Its width and height are those of the field, and positions are pixels of it. What is stored has columns times rows entries,
// which are pixels if cell is 1, and otherwise the means of cells of cell times cell pixels.
export class Field {
  constructor(header, values, confidence) {
    Object.assign(this, header, stored(header));
    this.values = values; // Uint16Array: u and v of each entry
    this.confidence = confidence || null; // Uint8Array, in units of 1/255
    this.bytes = 5 * this.columns * this.rows;
  }

  // component returns number i of values in pixels, NaN if it is unknown.
  component(i) {
    const b = this.values[i];
    if (this.step === 0) return halfValue(b);
    return b === 0x8000 ? NaN : ((b << 16) >> 16) * this.step;
  }

  // at returns the flow [u, v] of a pixel or of its cell, or null if it is unknown or outside.
  at(x, y) {
    if (!(x >= 0 && y >= 0 && x < this.width && y < this.height)) return null;
    const i = 2 * (Math.floor(y / this.cell) * this.columns + Math.floor(x / this.cell));
    const u = this.component(i);
    const v = this.component(i + 1);
    return Number.isFinite(u) && Number.isFinite(v) ? [u, v] : null;
  }

  // between returns the flow at a position, interpolated between the centres of pixels, or null.
  between(x, y) {
    const left = Math.floor(x);
    const top = Math.floor(y);
    let u = 0;
    let v = 0;
    let sum = 0;
    for (let dy = 0; dy < 2; dy++) {
      for (let dx = 0; dx < 2; dx++) {
        const weight = (dx ? x - left : 1 - x + left) * (dy ? y - top : 1 - y + top);
        if (weight === 0) continue;
        const px = Math.min(Math.max(left + dx, 0), this.width - 1);
        const py = Math.min(Math.max(top + dy, 0), this.height - 1);
        const flow = this.at(px, py);
        if (!flow) return null;
        u += weight * flow[0];
        v += weight * flow[1];
        sum += weight;
      }
    }
    return [u / sum, v / sum];
  }
}

function stored({ width, height, cell }) {
  return { columns: Math.ceil(width / cell), rows: Math.ceil(height / cell) };
}

function halfValue(b) {
  const sign = b & 0x8000 ? -1 : 1;
  const exponent = (b >> 10) & 31;
  const fraction = b & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

// parsePacket returns the field in an ArrayBuffer.
export async function parsePacket(buffer) {
  const bytes = new Uint8Array(buffer);
  const view = new DataView(buffer);
  if (new TextDecoder().decode(bytes.subarray(0, 8)) !== 'wwflow2\n') throw new Error('the answer is not a flow field');
  const start = 12 + view.getUint32(8, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(12, start)));
  const { columns, rows } = stored(header);
  const n = columns * rows;
  if (header.packed) {
    const planes = await inflated(bytes.subarray(start, bytes.length - 4));
    return unpackField(header, planes);
  }
  return new Field(header, new Uint16Array(buffer, start, 2 * n), header.confidence && new Uint8Array(buffer, start + 4 * n, n));
}

async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function unpackField(header, planes) {
  const { columns, rows } = stored(header);
  const n = columns * rows;
  const values = new Uint16Array(2 * n);
  for (let c = 0; c < 2; c++) {
    const low = 2 * c * n;
    const high = low + n;
    for (let i = 0, left = 0; i < n; i++) {
      if (i % columns === 0) left = 0;
      const d = planes[low + i] | (planes[high + i] << 8);
      left = (left + ((d >> 1) ^ -(d & 1))) & 0xffff;
      values[2 * i + c] = left;
    }
  }
  let confidence = null;
  if (header.confidence) {
    confidence = new Uint8Array(n);
    for (let i = 0, left = 0; i < n; i++) confidence[i] = left = (left + planes[4 * n + i]) & 255;
  }
  return new Field(header, values, confidence);
}
