// The painter of the page, in WebGL 2. raster.js has the same methods for browsers without it.

import { arctangent } from './colours.js';

// What a pane shows. The numbers are those of the shader.
export const styles = { frame: 0, flow: 1, overlay: 2, arrows: 3, confidence: 4, difference: 5, painted: 6 };

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
uniform vec2 origin;
uniform ivec2 size;
uniform int style;
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
  ivec2 at = ivec2(floor(place));
  if (at.x < 0 || at.y < 0 || at.x >= size.x || at.y >= size.y) discard;
  vec3 under = vec3(0.0);
  if (style == 0 || style == 2 || style == 3 || style == 6) under = levels(texture(picture, place / vec2(size)).rgb);
  vec3 colour = under;
  if (style == 1) {
    colour = wheelLevels(flow(fieldA, stepA, at));
  } else if (style == 2) {
    vec3 f = flow(fieldA, stepA, at);
    vec3 both = overlayLevels(f, under);
    colour = mixture <= 0.5 ? mix(under, both, 2.0 * mixture) : mix(both, wheelLevels(f), 2.0 * mixture - 1.0);
  } else if (style == 3) {
    colour = floor(under / 2.0);
  } else if (style == 4) {
    colour = flow(fieldA, stepA, at).z == 0.0 ? vec3(0.0) : rampLevels(float(texelFetch(sureness, at, 0).r) / 255.0);
  } else if (style == 5) {
    vec3 a = flow(fieldA, stepA, at), b = flow(fieldB, stepB, at);
    colour = a.z * b.z == 0.0 ? vec3(0.0) : rampLevels(length(a.xy - b.xy) * perError);
  }
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
    const polynomial = arctangent.reduceRight((sum, c) => (sum ? `${c} + z2 * (${sum})` : `${c}`), '');
    this.program = linked(gl, vertexSource, fragmentSource.replace('POLYNOMIAL', polynomial));
    gl.useProgram(this.program);
    this.places = {};
    this.slots = {};
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

  // setField gives a field to a slot; null empties it.
  setField(slot, field) {
    const gl = this.gl;
    if (this.slots[slot]?.content === field) return;
    if (!field) return void delete this.slots[slot];
    this.upload(slot, field.values, field.width, field.height, gl.RG16UI, gl.RG_INTEGER, gl.UNSIGNED_SHORT, field);
    if (field.confidence) {
      this.upload(slot + '/confidence', field.confidence, field.width, field.height, gl.R8UI, gl.RED_INTEGER, gl.UNSIGNED_BYTE, field);
    }
  }

  // setPicture gives an ImageBitmap to a slot; null empties it.
  setPicture(slot, picture) {
    const gl = this.gl;
    if (this.slots[slot]?.content === picture) return;
    if (!picture) return void delete this.slots[slot];
    this.upload(slot, picture, picture.width, picture.height, gl.RGB8, gl.RGB, gl.UNSIGNED_BYTE, picture);
  }

  upload(slot, data, width, height, format, layout, type, content) {
    const gl = this.gl;
    let s = this.slots[slot];
    if (!s || s.width !== width || s.height !== height || s.format !== format) {
      if (s) gl.deleteTexture(s.texture);
      s = this.slots[slot] = { texture: gl.createTexture(), width, height, format };
      gl.bindTexture(gl.TEXTURE_2D, s.texture);
      gl.texStorage2D(gl.TEXTURE_2D, 1, format, width, height);
      for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, side, gl.CLAMP_TO_EDGE);
      for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, filter, gl.NEAREST);
    } else {
      gl.bindTexture(gl.TEXTURE_2D, s.texture);
    }
    if (ArrayBuffer.isView(data)) gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, width, height, layout, type, data);
    else gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, layout, type, data);
    s.content = content;
  }

  // draw paints panes onto the canvas. A pane has rect [x, y, width, height] and origin [x, y] (where the first pixel of
  // the picture is), both in pixels of the canvas; zoom (pixels of the canvas per pixel); style; a, b and picture (slots);
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
    const gl = this.gl;
    const [x, y, w, h] = pane.rect;
    gl.viewport(0, 0, width, height);
    gl.scissor(x, height - y - h, w, h);
    const a = this.slots[pane.a];
    const b = this.slots[pane.b];
    const picture = this.slots[pane.picture];
    const style = styles[pane.style];
    const base = style === styles.frame || style === styles.painted || style === styles.arrows ? picture : a;
    if (!base || (style === styles.overlay && !picture) || (style === styles.difference && !b)) return;
    if (style === styles.confidence && !a.content.confidence) return;
    this.bind(0, 'fieldA', a || this.slots.none);
    this.bind(1, 'fieldB', b || this.slots.none);
    this.bind(2, 'sureness', (a?.content.confidence && this.slots[pane.a + '/confidence']) || this.slots.unsure);
    this.bind(3, 'picture', picture || this.slots.black);
    const filter = pane.zoom < 1 ? gl.LINEAR : gl.NEAREST;
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, filter);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, filter);
    this.bind(4, 'wheel', this.slots.wheel);
    this.bind(5, 'ramp', this.slots.ramp);
    gl.uniform1f(this.place('stepA'), a?.content.step ?? 1);
    gl.uniform1f(this.place('stepB'), b?.content.step ?? 1);
    gl.uniform1f(this.place('perPixel'), Math.fround(1 / pane.scale));
    gl.uniform1f(this.place('perError'), 1 / pane.range);
    gl.uniform1f(this.place('mixture'), pane.mix);
    gl.uniform1f(this.place('zoom'), pane.zoom);
    gl.uniform1f(this.place('bottom'), height);
    gl.uniform2f(this.place('origin'), pane.origin[0], pane.origin[1]);
    gl.uniform2i(this.place('size'), base.width, base.height);
    gl.uniform1i(this.place('style'), style);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  bind(unit, name, slot) {
    const gl = this.gl;
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(gl.TEXTURE_2D, slot.texture);
    gl.uniform1i(this.place(name), unit);
  }

  place(name) {
    this.places[name] ??= this.gl.getUniformLocation(this.program, name);
    return this.places[name];
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
