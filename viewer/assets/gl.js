// The painter of the page, in WebGL 2. raster.js has the same methods for browsers without it.

import { arctangent } from './colours.js';
import { spans } from './picture.js';

// What a pane shows. Each has a shader of its own, where STYLE is its number: a shader for all of them would be several times
// as slow without a graphics card.
export const styles = { frame: 0, flow: 1, overlay: 2, arrows: 3, confidence: 4, difference: 5, painted: 6 };

const stepEntries = 1 << 19; // of a field or picture, uploaded at once

const vertexSource = `#version 300 es
void main() { // one triangle that covers everything
  gl_Position = vec4(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0, 0.0, 1.0);
}`;

// Levels are computed as in package visualize, with the steps of its tables: whole numbers from 0 to 255. Half is added before
// whole numbers are divided, because graphics cards need not divide exactly.
const fragmentSource = `#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;
precision highp sampler2D;
uniform usampler2D fieldA, fieldB, sureness;
uniform sampler2D picture, wheel, ramp;
uniform float stepA, stepB, perPixel, perError, mixture, zoom, bottom;
uniform vec2 origin, pictureSize;
uniform ivec2 size;
uniform int cellA, cellB;
out vec4 result;

// flow returns u, v and 1, or 0 where they are unknown.
vec3 flow(usampler2D field, float unit, ivec2 at) {
  uvec2 bits = texelFetch(field, at, 0).rg;
  if (unit > 0.0) {
    ivec2 units = ivec2(bits << 16) >> 16;
    return units.x == -32768 || units.y == -32768 ? vec3(0.0) : vec3(vec2(units) * unit, 1.0);
  }
  if ((bits.x & 0x7c00u) == 0x7c00u || (bits.y & 0x7c00u) == 0x7c00u) return vec3(0.0);
  return vec3(unpackHalf2x16(bits.x).x, unpackHalf2x16(bits.y).x, 1.0);
}

float direction(vec2 f) {
  vec2 a = abs(f);
  float longer = max(a.x, a.y);
  if (longer == 0.0) return 0.0;
  float z = floor(min(a.x, a.y) / longer * 1023.0 + 0.5) / 1023.0;
  float z2 = z * z;
  float angle = z * (POLYNOMIAL) / 6.283185307179586;
  if (a.y > a.x) angle = 0.25 - angle;
  if (f.x < 0.0) angle = 0.5 - angle;
  if (f.y < 0.0) angle = 1.0 - angle;
  return angle;
}

vec3 levels(vec3 colour) { return floor(colour * 255.0 + 0.5); }

vec3 wheelLevels(vec3 f) {
  if (f.z == 0.0) return vec3(0.0);
  f.xy *= perPixel;
  int steps = textureSize(wheel, 0).x;
  float k = direction(f.xy) * float(steps);
  int low = int(k) % steps;
  vec3 rim = mix(levels(texelFetch(wheel, ivec2(low, 0), 0).rgb), levels(texelFetch(wheel, ivec2((low + 1) % steps, 0), 0).rgb), fract(k));
  float square = dot(f.xy, f.xy);
  vec3 quarters = floor(4.0 * (255.0 - (square <= 1.0 ? rim : 0.75 * rim)) + 0.5);
  return 255.0 - floor((quarters * (square <= 1.0 ? floor(sqrt(square) * 2048.0 + 0.5) : 2048.0) + 4096.0) / 8192.0);
}

vec3 rampLevels(float value) {
  return levels(texelFetch(ramp, ivec2(floor(255.0 * clamp(value, 0.0, 1.0) + 0.5), 0), 0).rgb);
}

vec3 overlayLevels(vec3 f, vec3 under) {
  vec3 over = wheelLevels(f);
  if (f.z == 0.0) return floor(under / 2.0);
  float strength = 255.0 - min(over.r, min(over.g, over.b));
  float luma = floor((dot(under, vec3(54.0, 183.0, 19.0)) + 128.0) / 256.0);
  float light = 64.0 + floor((luma * 191.0 + 0.5) / 255.0);
  vec3 base = floor((light * strength + under * (255.0 - strength) + 127.5) / 255.0);
  return floor((over * base + 127.5) / 255.0);
}

void main() {
  vec2 place = (vec2(gl_FragCoord.x, bottom - gl_FragCoord.y) - origin) / zoom;
  ivec2 at = clamp(ivec2(floor(place)), ivec2(0), size - 1);
#if STYLE == 0 || STYLE == 2 || STYLE == 3 || STYLE == 6
  vec3 under = levels(texture(picture, place / pictureSize).rgb);
#endif
#if STYLE == 0 || STYLE == 6
  vec3 colour = under;
#elif STYLE == 1
  vec3 colour = wheelLevels(flow(fieldA, stepA, at / cellA));
#elif STYLE == 2
  vec3 f = flow(fieldA, stepA, at / cellA);
  vec3 both = overlayLevels(f, under);
  vec3 colour = mixture <= 0.5 ? mix(under, both, 2.0 * mixture) : mix(both, wheelLevels(f), 2.0 * mixture - 1.0);
#elif STYLE == 3
  vec3 colour = floor(under / 2.0);
#elif STYLE == 4
  vec3 colour = flow(fieldA, stepA, at / cellA).z == 0.0 ? vec3(0.0) : rampLevels(float(texelFetch(sureness, at / cellA, 0).r) / 255.0);
#elif STYLE == 5
  vec3 a = flow(fieldA, stepA, at / cellA), b = flow(fieldB, stepB, at / cellB);
  vec3 colour = a.z * b.z == 0.0 ? vec3(0.0) : rampLevels(length(a.xy - b.xy) * perError);
#endif
  result = vec4(colour / 255.0, 1.0);
}`;

export class GLPainter {
  // A canvas without WebGL 2 is an error.
  constructor(canvas, colours) {
    const gl = canvas.getContext('webgl2', { alpha: false, antialias: false, preserveDrawingBuffer: true });
    if (!gl) throw new Error('this browser has no WebGL 2');
    this.gl = gl;
    this.canvas = canvas;
    this.limit = gl.getParameter(gl.MAX_TEXTURE_SIZE);
    this.programs = {}; // by style
    this.slots = {}; // by name: a texture, and the Field or Picture that it has as content
    this.coming = {}; // slots that are not complete yet
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    this.upload('wheel', colours.wheel, colours.wheel.length / 3, 1, gl.RGB8, gl.RGB, gl.UNSIGNED_BYTE);
    this.upload('ramp', colours.ramp, colours.ramp.length / 3, 1, gl.RGB8, gl.RGB, gl.UNSIGNED_BYTE);
    this.upload('none', new Uint16Array(2), 1, 1, gl.RG16UI, gl.RG_INTEGER, gl.UNSIGNED_SHORT);
    this.upload('unsure', new Uint8Array(1), 1, 1, gl.R8UI, gl.RED_INTEGER, gl.UNSIGNED_BYTE);
    this.upload('black', new Uint8Array(3), 1, 1, gl.RGB8, gl.RGB, gl.UNSIGNED_BYTE);
  }

  // fits reports whether a field or picture is not too large for the graphics card.
  fits(width, height) {
    return Math.max(width, height) <= this.limit;
  }

  // setField gives a Field to a slot; null empties it.
  setField(slot, field) {
    const { gl } = this;
    this.fill(slot, field, () => {
      const { values, confidence } = field;
      const parts = { [slot]: { data: values, format: gl.RG16UI, layout: gl.RG_INTEGER, type: gl.UNSIGNED_SHORT, entry: 2 } };
      if (confidence) parts[`${slot}/confidence`] = { data: confidence, format: gl.R8UI, layout: gl.RED_INTEGER, type: gl.UNSIGNED_BYTE, entry: 1 };
      return parts;
    });
  }

  // setPicture gives a Picture to a slot; null empties it.
  setPicture(slot, picture) {
    const { gl } = this;
    this.fill(slot, picture, () => ({ [slot]: { data: picture.bitmap, format: gl.RGBA8, layout: gl.RGBA, type: gl.UNSIGNED_BYTE } }));
  }

  // fill gives a slot its content. What is large takes the place of the same frame with larger cells step by step.
  fill(slot, content, partsOf) {
    if (this.slots[slot]?.content === content || this.coming[slot]?.content === content) return;
    this.drop(this.coming, slot);
    if (!content) return this.drop(this.slots, slot);
    const step = Math.ceil(stepEntries / content.columns);
    const gradual = step < content.rows && this.slots[slot]?.content?.cell > content.cell;
    const slots = gradual ? this.coming : this.slots;
    for (const [name, part] of Object.entries(partsOf())) {
      this.allot(slots, name, { ...part, width: content.columns, height: content.rows, content, done: 0, step: gradual ? step : content.rows });
      if (!gradual) this.advance(slots[name]);
    }
  }

  // progress uploads a step of what is coming, and returns whether it has to be drawn and called again.
  progress() {
    const names = Object.keys(this.coming);
    for (const name of names) {
      const s = this.coming[name];
      this.advance(s);
      if (s.done < s.height) continue;
      this.drop(this.slots, name);
      this.slots[name] = s;
      delete this.coming[name];
    }
    return names.length > 0;
  }

  // upload gives a slot a table of width times height entries.
  upload(slot, data, width, height, format, layout, type) {
    this.allot(this.slots, slot, { data, width, height, format, layout, type, entry: data.length / width / height, done: 0, step: height });
    this.advance(this.slots[slot]);
  }

  // allot gives a slot a texture. It keeps one of the same size.
  allot(slots, name, s) {
    const { gl } = this;
    const old = slots[name];
    if (old && old.width === s.width && old.height === s.height && old.format === s.format) {
      slots[name] = { ...s, texture: old.texture };
      return;
    }
    this.drop(slots, name);
    slots[name] = { ...s, texture: gl.createTexture() };
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, slots[name].texture);
    gl.texStorage2D(gl.TEXTURE_2D, 1, s.format, s.width, s.height);
    for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, side, gl.CLAMP_TO_EDGE);
    for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, filter, gl.NEAREST);
  }

  // advance uploads the next rows of a slot's data.
  advance(s) {
    const { gl } = this;
    const rows = Math.min(s.step, s.height - s.done);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, s.texture);
    if (ArrayBuffer.isView(s.data)) {
      const row = s.width * s.entry;
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, s.done, s.width, rows, s.layout, s.type, s.data.subarray(s.done * row, (s.done + rows) * row));
    } else {
      gl.pixelStorei(gl.UNPACK_SKIP_ROWS, s.done);
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, s.done, s.width, rows, s.layout, s.type, s.data);
      gl.pixelStorei(gl.UNPACK_SKIP_ROWS, 0);
    }
    s.done += rows;
    if (s.done === s.height) s.data = null; // the loader decides how long it is kept
  }

  // drop frees a slot, and the one of its confidence.
  drop(slots, name) {
    for (const n of [name, `${name}/confidence`]) {
      if (slots[n]) this.gl.deleteTexture(slots[n].texture);
      delete slots[n];
    }
  }

  // draw paints panes onto the canvas. A pane has rect [x, y, width, height] and origin [x, y] (where the first pixel of
  // the picture is), both in pixels of the canvas; size [width, height] of what is shown; zoom (pixels of the canvas per
  // pixel); style; a, b and picture (slots);
  // scale and range (pixels of flow and of difference with full colour); mix (0 = frame, 1 = flow).
  draw(panes) {
    const gl = this.gl;
    gl.disable(gl.SCISSOR_TEST);
    gl.clearColor(0, 0, 0, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.enable(gl.SCISSOR_TEST);
    for (const pane of panes) this.drawPane(pane, this.canvas.width, this.canvas.height);
  }

  drawPane(pane, width, height) {
    const { gl } = this;
    const a = this.slots[pane.a];
    const b = this.slots[pane.b];
    const picture = this.slots[pane.picture];
    const style = styles[pane.style];
    const base = (style === styles.frame || style === styles.painted || style === styles.arrows ? picture : a)?.content;
    if (!base || (style === styles.overlay && !picture) || (style === styles.difference && !b)) return;
    if (style === styles.confidence && !a.content.confidence) return;
    const [x, y, w, h] = visible(pane);
    if (w <= 0 || h <= 0) return;
    gl.viewport(0, 0, width, height);
    gl.scissor(x, height - y - h, w, h);
    const program = (this.programs[style] ??= new Program(gl, style));
    program.use();
    program.bind(0, 'fieldA', a || this.slots.none);
    program.bind(1, 'fieldB', b || this.slots.none);
    program.bind(2, 'sureness', (a?.content.confidence && this.slots[pane.a + '/confidence']) || this.slots.unsure);
    program.bind(3, 'picture', picture || this.slots.black);
    const filter = pane.zoom < 1 || picture?.content.cell > 1 ? gl.LINEAR : gl.NEAREST;
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, filter);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, filter);
    program.bind(4, 'wheel', this.slots.wheel);
    program.bind(5, 'ramp', this.slots.ramp);
    const [across, down] = spans(picture?.content ?? base);
    for (const [name, value] of Object.entries({
      stepA: a?.content.step ?? 1,
      stepB: b?.content.step ?? 1,
      perPixel: Math.fround(1 / pane.scale),
      perError: 1 / pane.range,
      mixture: pane.mix,
      zoom: pane.zoom,
      bottom: height,
    })) {
      gl.uniform1f(program.place(name), value);
    }
    gl.uniform1i(program.place('cellA'), a?.content.cell ?? 1);
    gl.uniform1i(program.place('cellB'), b?.content.cell ?? 1);
    gl.uniform2f(program.place('origin'), ...pane.origin);
    gl.uniform2i(program.place('size'), ...pane.size);
    gl.uniform2f(program.place('pictureSize'), pane.size[0] * across, pane.size[1] * down);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  // pixels returns the canvas as bytes, red, green, blue and 255 of each pixel, the top row first.
  pixels() {
    const { gl, canvas } = this;
    const row = 4 * canvas.width;
    const upside = new Uint8Array(row * canvas.height);
    gl.readPixels(0, 0, canvas.width, canvas.height, gl.RGBA, gl.UNSIGNED_BYTE, upside);
    const out = new Uint8Array(upside.length);
    for (let y = 0; y < canvas.height; y++) out.set(upside.subarray(y * row, (y + 1) * row), (canvas.height - 1 - y) * row);
    return out;
  }
}

// visible returns the part of a pane's rectangle that the picture covers: the pixels whose centre is in it.
function visible({ rect, origin, size, zoom }) {
  const range = (k) => {
    const from = Math.max(rect[k], Math.ceil(origin[k] - 0.5));
    const to = Math.min(rect[k] + rect[k + 2], Math.ceil(origin[k] + size[k] * zoom - 0.5));
    return [from, to - from];
  };
  const [x, w] = range(0);
  const [y, h] = range(1);
  return [x, y, w, h];
}

// Program is the shader of one style.
class Program {
  constructor(gl, style) {
    const polynomial = arctangent.reduceRight((sum, c) => (sum ? `${c} + z2 * (${sum})` : `${c}`), '');
    this.gl = gl;
    this.program = linked(gl, vertexSource, fragmentSource.replace('POLYNOMIAL', polynomial).replace('\n', `\n#define STYLE ${style}\n`));
    this.places = {};
  }

  use() {
    this.gl.useProgram(this.program);
  }

  bind(unit, name, slot) {
    const { gl } = this;
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(gl.TEXTURE_2D, slot.texture);
    gl.uniform1i(this.place(name), unit);
  }

  place(name) {
    this.places[name] ??= this.gl.getUniformLocation(this.program, name);
    return this.places[name];
  }
}

function linked(gl, vertex, fragment) {
  const program = gl.createProgram();
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, vertex],
    [gl.FRAGMENT_SHADER, fragment],
  ]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
  return program;
}
