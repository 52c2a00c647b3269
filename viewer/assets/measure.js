// What is measured in fields. Lengths are in pixels; pixels whose flow is unknown do not count.

// The functions that read whole fields let the page do something else every few milliseconds. wanted says whether to go on;
// the result is undefined if not.

// boxStatistics returns the statistics of the flow in a box [left, top, right, bottom], whose right column and bottom row
// are outside. The histogram has the numbers of pixels in equal ranges of length, from 0 to its limit.
export async function boxStatistics(field, [left, top, right, bottom], wanted) {
  let n = 0;
  let u = 0;
  let v = 0;
  let sum = 0;
  let limit = 0;
  const breath = new Breath(wanted);
  const lengths = new Float32Array((right - left) * (bottom - top));
  for (let y = top; y < bottom; y++) {
    if (!(await breath.taken())) return undefined;
    for (let i = 2 * (y * field.width + left); i < 2 * (y * field.width + right); i += 2) {
      const [du, dv] = [field.component(i), field.component(i + 1)];
      const length = Math.sqrt(du * du + dv * dv);
      if (!Number.isFinite(length)) continue;
      u += du;
      v += dv;
      sum += length;
      limit = Math.max(limit, length);
      lengths[n++] = length;
    }
  }
  const unknown = lengths.length - n;
  if (n === 0) return { n, unknown };
  const histogram = new Array(24).fill(0);
  const perRange = histogram.length / (limit || 1);
  for (let from = 0; from < n; from += 65536) {
    if (!(await breath.taken())) return undefined;
    for (const length of lengths.subarray(from, Math.min(from + 65536, n))) {
      histogram[Math.min(Math.floor(length * perRange), histogram.length - 1)]++;
    }
  }
  return { n, unknown, u: u / n, v: v / n, length: sum / n, limit: limit || 1, histogram };
}

// endpointErrors compares a field with the ground truth: the mean endpoint error, and the percentages of pixels whose error
// exceeds 1 pixel, and 3 pixels and 5 % of the true length. null means that the sizes differ.
export async function endpointErrors(field, truth, wanted) {
  if (field.width !== truth.width || field.height !== truth.height) return null;
  let n = 0;
  let sum = 0;
  let over1 = 0;
  let outliers = 0;
  const breath = new Breath(wanted);
  for (let y = 0; y < field.height; y++) {
    if (!(await breath.taken())) return undefined;
    for (let i = 2 * y * field.width; i < 2 * (y + 1) * field.width; i += 2) {
      const [tu, tv] = [truth.component(i), truth.component(i + 1)];
      const [du, dv] = [field.component(i) - tu, field.component(i + 1) - tv];
      const error = Math.sqrt(du * du + dv * dv);
      if (!Number.isFinite(error)) continue;
      n++;
      sum += error;
      if (error > 1) over1++;
      if (error > 3 && error > 0.05 * Math.sqrt(tu * tu + tv * tv)) outliers++;
    }
  }
  return { n, epe: sum / n, over1: (100 * over1) / n, fl: (100 * outliers) / n };
}

// Breath lets the page do something else when the computation has taken a few milliseconds.
class Breath {
  constructor(wanted) {
    this.wanted = wanted;
    this.due = performance.now() + 8;
  }

  // taken returns whether to go on.
  async taken() {
    if (performance.now() < this.due) return true;
    await new Promise((done) => setTimeout(done));
    this.due = performance.now() + 8;
    return this.wanted();
  }
}

// differences returns the mean and the 99th percentile of the length of the difference of two fields of one size.
export function differences(a, b) {
  if (a.width !== b.width || a.height !== b.height) return null;
  const step = 2 * Math.max(1, Math.floor(a.values.length / 2 / 200000));
  const list = [];
  for (let i = 0; i < a.values.length; i += step) {
    const d = Math.hypot(a.component(i) - b.component(i), a.component(i + 1) - b.component(i + 1));
    if (Number.isFinite(d)) list.push(d);
  }
  if (list.length === 0) return { n: 0 };
  list.sort((x, y) => x - y);
  return { n: list.length, mean: list.reduce((x, y) => x + y) / list.length, p99: list[Math.floor(0.99 * (list.length - 1))] };
}

// trackPoint follows a point through the fields that fieldOf gives by the number of their frame. It calls found with each
// place {number, x, y}, the given one first, and stops where the flow is unknown, leads out of the frame, has no next frame, or
// after count fields. wanted says whether to go on.
export async function trackPoint({ x, y, number, count, fieldOf, found, wanted }) {
  found({ number, x, y });
  for (let k = 0; k < count; k++) {
    const field = await fieldOf(number + k);
    if (!field || !wanted()) return;
    const flow = field.between(x, y);
    if (!flow) return;
    x += flow[0];
    y += flow[1];
    if (x < -0.5 || y < -0.5 || x > field.width - 0.5 || y > field.height - 0.5) return;
    found({ number: number + k + 1, x, y });
  }
}

// roundUpScale returns a round number that is at least x, and at least a tenth.
export function roundUpScale(x) {
  if (!(x > 0.1)) return 0.1;
  const ten = 10 ** Math.floor(Math.log10(x));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((s) => x <= s * ten * (1 + 1e-9)) * ten;
}

// directionName returns the angle of a vector in degrees, and where it points on the screen.
export function directionName(u, v) {
  if (u === 0 && v === 0) return 'none';
  const degrees = (Math.atan2(v, u) * 180) / Math.PI;
  const names = ['right', 'down right', 'down', 'down left', 'left', 'up left', 'up', 'up right'];
  return `${Math.round((degrees + 360) % 360) % 360}° ${names[Math.round(degrees / 45 + 8) % 8]}`;
}
