// The colours of package visualize. The server sends its tables, so that there is one source of them.

export class Colours {
  // wheel has the colours of the wheel's rim and ramp those of confidence 0 to 1, both as hexadecimal digits.
  constructor({ wheel, ramp }) {
    this.wheel = bytesOf(wheel);
    this.ramp = bytesOf(ramp);
    this.steps = this.wheel.length / 3;
  }

  // paint writes the colour of the flow (u, v), in units of full saturation, to out[i], out[i+1] and out[i+2]. It rounds as
  // visualize/fast.go does: direction and length to steps, the rim's colour to quarters of a level.
  paint(u, v, out, i) {
    const square = u * u + v * v;
    const length = square <= 1 ? Math.floor(Math.sqrt(square) * 2048 + 0.5) : 2048;
    const darkness = square <= 1 ? 1 : darker;
    const k = direction(u, v) * this.steps;
    const low = Math.floor(k) % this.steps;
    const high = (low + 1) % this.steps;
    const part = k - Math.floor(k);
    for (let c = 0; c < 3; c++) {
      const rim = this.wheel[3 * low + c] * (1 - part) + this.wheel[3 * high + c] * part;
      const quarters = Math.floor(4 * (255 - darkness * rim) + 0.5);
      out[i + c] = 255 - ((quarters * length + 4096) >> 13);
    }
  }

  // grade writes the colour of a value from 0 to 1 to out[i], out[i+1] and out[i+2].
  grade(value, out, i) {
    const k = 3 * Math.floor(255 * Math.min(Math.max(value, 0), 1) + 0.5);
    out[i] = this.ramp[k];
    out[i + 1] = this.ramp[k + 1];
    out[i + 2] = this.ramp[k + 2];
  }

  // css returns the wheel's colour, multiplied by light, for CSS.
  css(u, v, light = 1) {
    const c = [0, 0, 0];
    this.paint(u, v, c, 0);
    return `rgb(${c.map((level) => Math.floor(level * light))})`;
  }
}

// darker is the factor for flow that is longer than full saturation.
const darker = 0.75;

// arctangent is a polynomial for the arc tangent of 0 to 1 with an error below 3e-7. The built-in function of a graphics
// card may be much less precise, and both painters should agree.
export const arctangent = [0.99999611, -0.33317368, 0.19807815, -0.1323334, 0.07962363, -0.03360419, 0.00681178];

// direction returns the direction of (u, v), rounded to 1023 steps of an eighth of a turn, as a part of a turn, 0 to 1, clockwise on the screen from the right.
function direction(u, v) {
  const a = Math.abs(u);
  const b = Math.abs(v);
  const long = Math.max(a, b);
  if (long === 0) return 0;
  const z = Math.floor((Math.min(a, b) / long) * 1023 + 0.5) / 1023;
  let angle = 0;
  for (let k = arctangent.length - 1; k >= 0; k--) angle = angle * z * z + arctangent[k];
  angle *= z / (2 * Math.PI);
  if (b > a) angle = 0.25 - angle;
  if (u < 0) angle = 0.5 - angle;
  if (v < 0) angle = 1 - angle;
  return angle;
}

function bytesOf(digits) {
  const out = new Uint8Array(digits.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return out;
}
