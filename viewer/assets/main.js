// The page: its controls, and what happens when they are used.

import { Colours } from './colours.js';
import { GLPainter } from './gl.js';
import { RasterPainter } from './raster.js';
import { Server, Embedded } from './source.js';
import { Loader } from './loader.js';
import { drawMarks } from './marks.js';
import { drawWheel, drawRamp } from './legend.js';
import { Timeline } from './timeline.js';
import { trackPoint, roundUpScale } from './measure.js';
import { state } from './state.js';
import { byId, say, ratio } from './dom.js';
import { readOut, compare, frameText, markBusy } from './panel.js';
import { movingCell, restingCell } from './detail.js';
import { listenToKeys } from './keys.js';
import { listenToPointer } from './pointer.js';

let drawing = false;
let loading = false;
let resting; // timer
const restAfter = 150; // milliseconds without another frame

async function start() {
  const embedded = byId('embedded');
  const source = embedded ? new Embedded(JSON.parse(embedded.textContent)) : new Server();
  state.loader = new Loader(source);
  const session = await source.session();
  state.colours = new Colours(session);
  state.painter = newPainter();
  for (const id of ['wheel', 'corner-wheel']) drawWheel(byId(id), state.colours);
  drawRamp(byId('ramp'), state.colours);
  state.timeline = new Timeline(byId('position'), byId('curve'), (index) => go(state.positions[index]));
  byId('item').replaceChildren(...session.items.map((name, i) => new Option(name, i)));
  byId('item-label').hidden = session.items.length < 2;
  listen();
  new ResizeObserver(resize).observe(byId('stage'));
  resize();
  await openItem(0);
}

// newPainter returns a painter with WebGL, or without where that is missing or ?canvas asks for it.
function newPainter() {
  const canvas = byId('picture');
  if (!new URLSearchParams(location.search).has('canvas')) {
    try {
      const gl = new GLPainter(canvas, state.colours);
      canvas.addEventListener('webglcontextlost', () => withoutGL());
      return gl;
    } catch (error) {
      console.info(`painting without WebGL: ${error.message}`);
    }
  }
  return new RasterPainter(canvas, state.colours);
}

// withoutGL replaces the canvas, which can have one kind of context only.
function withoutGL() {
  const old = byId('picture');
  const canvas = old.cloneNode();
  old.replaceWith(canvas);
  state.painter = new RasterPainter(canvas, state.colours);
  setSlots();
  draw();
}

async function openItem(item) {
  stop();
  const description = await state.loader.open(item);
  document.title = `${description.name} - wwflow`;
  state.positions = state.loader.positions();
  const { results } = description;
  state.truth = results.findIndex((r) => r.truth);
  const own = results.map((r, i) => i).filter((i) => !results[i].truth);
  state.a = own[0] ?? -1;
  state.b = own[1] ?? -1;
  state.scale = 0;
  state.shown = {};
  state.full = {};
  if (description.frames > 0) state.view.size = [description.width, description.height];
  clearMarks();
  for (const id of ['a', 'b']) {
    byId(id).replaceChildren(...own.map((i) => new Option(results[i].name, i)));
    byId(id).value = state[id];
    byId(`${id}-label`).hidden = own.length < 2;
  }
  state.number = state.positions.find((n) => state.loader.has(state.a, n)) ?? state.positions[0] ?? 0;
  byId('layout').value = state.view.layout = description.frames > 0 ? 'side' : 'single';
  offer();
  state.timeline.setPositions(state.positions);
  byId('number').max = state.positions.at(-1) ?? 0;
  for (const id of ['previous', 'next', 'play', 'number', 'position', 'speed']) byId(id).disabled = state.positions.length < 2;
  byId('track').parentElement.hidden = state.positions.length < 2;
  watchCurves();
  await go(state.number);
}

// offer enables the choices that the item has data for.
function offer() {
  const { frames, results } = state.loader.description;
  const has = {
    frame: frames > 0,
    b: state.b >= 0,
    truth: state.truth >= 0,
    confidence: Boolean(state.shown.a?.confidence) || results[state.a]?.kind === 'estimate',
  };
  for (const option of document.querySelectorAll('option[data-needs]')) option.disabled = !has[option.dataset.needs];
  const side = byId('layout').options[0];
  side.disabled = !has.frame;
  for (const [select, fallback] of [
    ['style', 'flow'],
    ['layout', 'single'],
  ]) {
    if (byId(select).selectedOptions[0]?.disabled) byId(select).value = fallback;
  }
  state.style = byId('style').value;
  state.view.layout = byId('layout').value;
  byId('mix-label').hidden = state.style !== 'overlay';
  byId('split-label').hidden = state.view.layout !== 'split';
  const ramp = ['confidence', 'difference', 'error'].includes(state.style);
  byId('ramp-legend').hidden = !ramp;
  byId('range-label').hidden = state.style === 'confidence';
  byId('ramp-end').textContent = state.style === 'confidence' ? '1' : `${state.range} px`;
}

// go shows a frame. While one is loading, the last one that was asked for is loaded next.
async function go(number) {
  clearTimeout(resting);
  state.stride = state.positions.indexOf(number) - state.positions.indexOf(state.number);
  state.number = number;
  if (state.positions.length) state.timeline.show(state.positions.indexOf(number), `frame ${number}${clockOf(number)}`);
  byId('number').value = number;
  byId('time').textContent = clockOf(number);
  if (loading) {
    if ([state.a, state.b].some((r) => state.loader.slow(r))) state.controller.abort();
    return;
  }
  loading = true;
  try {
    do {
      await load(state.number);
    } while (state.shown.number !== state.number);
  } finally {
    loading = false;
    rest();
  }
}

// rest sharpens the picture when nothing has happened for a while.
function rest() {
  clearTimeout(resting);
  resting = setTimeout(() => {
    if (!loading && !state.playing && state.shown.number !== undefined) sharpen().catch((error) => say(error.message));
  }, restAfter);
}

// sharpen loads every pixel of the fields that are shown, for measuring, and paints at the resolution of the screen.
async function sharpen() {
  const { shown } = state;
  const cell = restingCell();
  const finer = cell < shown.cell;
  if (!finer && state.full.number === shown.number) return;
  const full = state.full.number === shown.number ? state.full : await whole(shown.number, cell);
  const frame = finer ? await state.loader.frame(shown.number, cell) : shown.frame;
  if (state.shown !== shown) return;
  show(finer ? { ...full, frame, cell } : shown, full);
}

// whole returns the fields of a frame with every pixel. Images of flow videos have cells.
async function whole(number, cell, signal) {
  const full = { number, a: null, b: null, truth: null };
  const get = async (part) => {
    const painted = state.loader.description.results[state[part]]?.kind === 'painted';
    full[part] = await state.loader.result(state[part], number, painted ? cell : 1, signal);
  };
  await Promise.all(['a', 'b', 'truth'].map(get));
  return full;
}

// clockOf returns the time of a frame, if it is known.
function clockOf(number) {
  const seconds = state.loader.description.times?.[number];
  if (seconds === undefined) return '';
  return ` ${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(2).padStart(5, '0')}`;
}

// load loads a frame and its results at the resolution for moving pictures, and shows them. Fields that may have to be
// estimated come after the picture. Where a pixel or a box is measured, the fields come with every pixel as well.
async function load(number) {
  state.controller = new AbortController();
  const { signal } = state.controller;
  const cell = movingCell();
  const next = { number, cell, frame: null, a: null, b: null, truth: null };
  const parts = ['a', 'b', 'truth'].filter((part) => state[part] >= 0);
  const get = async (part) => {
    next[part] = await state.loader.result(state[part], number, cell, signal);
  };
  let full;
  try {
    const quick = parts.filter((part) => !state.loader.slow(state[part]));
    const slow = parts.filter((part) => state.loader.slow(state[part]) && state.loader.has(state[part], number));
    await Promise.all([state.loader.frame(number, cell, signal).then((frame) => (next.frame = frame)), ...quick.map(get)]);
    if (slow.length > 0) {
      const waiting = setTimeout(() => {
        show({ ...next });
        say('estimating the flow of this frame');
      }, 60);
      try {
        await Promise.all(slow.map(get));
      } finally {
        clearTimeout(waiting);
      }
    }
    say(next.a || state.a < 0 ? '' : 'this frame has no flow');
    if (cell === 1) full = next;
    else if (state.pin || state.box) full = await whole(number, cell, signal);
    prefetch(number, parts.map((part) => state[part]), cell);
  } catch (error) {
    if (error.name === 'AbortError') return;
    say(error.message);
    stop();
  }
  show(next, full);
}

// prefetch loads the frames that come next if frames are shown one after the other.
function prefetch(number, results, cell) {
  if (Math.abs(state.stride) > 1) return;
  const index = state.positions.indexOf(number);
  for (let k = 1; k <= (cell > 1 ? 2 : 1); k++) {
    const ahead = state.positions[index + k * (state.stride || 1)];
    if (ahead !== undefined) state.loader.prefetch(ahead, results, cell);
  }
}

// show paints what was loaded. full has its fields with every pixel, if they are loaded too.
function show(next, full = {}) {
  state.shown = next;
  state.full = full;
  markBusy();
  const size = next.a ?? next.frame ?? next.b ?? next.truth;
  if (size) {
    state.view.size = [size.width, size.height];
    byId('x').max = size.width - 1;
    byId('y').max = size.height - 1;
  }
  if (next.a?.values && state.scale === 0) setScale(Math.max(1, roundUpScale(next.a.p99)));
  setSlots();
  offer();
  draw();
  compare();
  frameText();
}

function setSlots() {
  const largest = Math.max(...[state.shown.frame, state.shown.a, state.shown.b, state.shown.truth].map((s) => Math.max(s?.columns ?? 0, s?.rows ?? 0)));
  if (!state.painter.fits(largest, largest)) return withoutGL();
  state.painter.setPicture('frame', state.shown.frame);
  for (const part of ['a', 'b', 'truth']) {
    const content = state.shown[part];
    state.painter.setField(part, content?.values ? content : null);
    state.painter.setPicture(`${part}/painted`, content && !content.values ? content : null);
  }
}

// panes returns what the painter shall draw.
function panes() {
  const common = { size: state.view.size, zoom: state.view.zoom(), scale: state.scale || 1, range: state.range, mix: state.mix, picture: 'frame', b: 'b' };
  const of = (part, rect, origin) => {
    const pane = { ...common, rect, origin: origin ?? state.view.origin(rect), a: part, style: state.style };
    if (state.style === 'error') Object.assign(pane, { style: 'difference', b: 'truth' });
    const content = state.shown[part];
    if (content && !content.values && state.style !== 'frame') Object.assign(pane, { style: 'painted', picture: `${part}/painted` });
    return pane;
  };
  const cells = state.view.cells();
  if (state.view.layout === 'side') return [{ ...of('a', cells[0]), style: 'frame', picture: 'frame' }, of('a', cells[1])];
  if (state.view.layout === 'both') return [of('a', cells[0]), of('b', cells[1])];
  if (state.view.layout === 'split') {
    const [x, y, w, h] = cells[0];
    const left = Math.round(state.view.split * w);
    const origin = state.view.origin(cells[0]);
    return [of('a', [x, y, left, h], origin), of('b', [x + left, y, w - left, h], origin)];
  }
  return [of('a', cells[0])];
}

// draw paints the pictures and marks with the next picture of the screen.
function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    state.painter.draw(panes());
    if (state.painter.progress()) draw();
    markPictures();
    readOut();
  });
}

function markPictures() {
  const flowAt = (p) => p && { ...p, flow: state.full.a?.at?.(p.x, p.y) };
  const a = state.full.a ?? state.shown.a;
  const field = a?.values && state.style === 'arrows' ? a : null;
  drawMarks(byId('marks'), state.view, {
    number: state.shown.number,
    arrows: field && { field, scale: state.scale, colours: state.colours, pane: state.view.layout === 'side' ? 1 : 0 },
    tracks: state.tracks,
    box: state.box,
    pin: flowAt(state.pin),
    pointer: flowAt(state.pointer),
  }, ratio());
  const name = byId('style').selectedOptions[0].textContent;
  byId('picture').setAttribute('aria-label', `${state.view.layout === 'side' ? 'video and ' : ''}${name} of frame ${state.shown.number}`);
}

function setScale(pixels) {
  state.scale = Math.min(Math.max(pixels, 0.01), 1e5);
  byId('scale').value = Number(state.scale.toPrecision(4));
  byId('corner-scale').textContent = `${Number(state.scale.toPrecision(3))} px`;
  byId('scale-slider').value = Math.log10(state.scale);
  byId('scale-slider').setAttribute('aria-valuetext', `${state.scale.toPrecision(3)} pixels`);
  draw();
}

// watchCurves asks for the motion curves of the results until they are complete.
async function watchCurves() {
  const { item } = state.loader;
  const wanted = [state.a, state.b].filter((r) => r >= 0 && state.loader.description.results[r].kind !== 'painted');
  state.curves = [];
  state.timeline.setCurves([]);
  for (let complete = false; !complete && item === state.loader.item; ) {
    try {
      const curves = await Promise.all(wanted.map((r) => state.loader.source.curve(item, r)));
      if (item !== state.loader.item) return;
      state.curves = curves;
      state.timeline.setCurves(curves);
      const highest = state.timeline.highest();
      byId('curve-text').textContent = highest ? `curve: mean length, up to ${highest.toPrecision(3)} px` : '';
      frameText();
      complete = curves.every((curve, k) => curve.done && !state.loader.slow(wanted[k]));
    } catch {
      return; // the next picture says why
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

function step(by) {
  const index = state.positions.indexOf(state.number);
  go(state.positions[Math.min(Math.max(index + by, 0), state.positions.length - 1)]);
}

function play() {
  if (state.playing) return stop();
  if (state.number === state.positions.at(-1)) go(state.positions[0]);
  state.playing = true;
  byId('play').textContent = 'Stop';
  byId('play').setAttribute('aria-pressed', 'true');
  let due = performance.now();
  const tick = (now) => {
    if (!state.playing) return;
    if (!loading && now >= due) {
      const index = state.positions.indexOf(state.number);
      if (index === state.positions.length - 1) return stop();
      const length = duration(state.positions[index], state.positions[index + 1]);
      due = Math.max(due + length, now - length); // a late picture does not make all later ones late
      step(1);
    }
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}

// duration returns how many milliseconds a frame is shown.
function duration(number, next) {
  const { times, rate } = state.loader.description;
  const seconds = times?.[next] > times?.[number] ? times[next] - times[number] : (next - number) / rate;
  return (1000 * seconds) / Number(byId('speed').value);
}

function stop() {
  state.playing = false;
  byId('play').textContent = 'Play';
  byId('play').setAttribute('aria-pressed', 'false');
  rest();
}

async function track() {
  const from = state.pin ?? state.pointer;
  if (!from || !state.shown.a?.values) return;
  const { item } = state.loader;
  const result = state.a;
  const places = [];
  state.tracks.push(places);
  const count = Number(byId('track-count').value) || 25;
  const text = () => {
    const { number, x, y } = places.at(-1);
    return `frame ${number}: ${x.toFixed(1)}, ${y.toFixed(1)}`;
  };
  const wanted = () => state.loader.item === item && state.tracks.includes(places);
  try {
    await trackPoint({
      ...from,
      number: state.shown.number,
      count,
      fieldOf: (n) => state.loader.result(result, n, 1),
      found: (p) => {
        places.push(p);
        byId('track-text').textContent = `following: ${text()}`;
        draw();
      },
      wanted,
    });
  } catch (error) {
    say(error.message);
  }
  if (wanted()) byId('track-text').textContent = `${places.length - 1} frames, to ${text()}`;
}

function clearMarks() {
  Object.assign(state, { pin: null, box: null, tracks: [], pointer: null });
  byId('x').value = byId('y').value = byId('track-text').textContent = '';
  draw();
}

function pinAt(x, y) {
  const limited = (value, size) => Math.min(Math.max(Math.round(value) || 0, 0), size - 1);
  state.pin = { x: limited(x, state.view.size[0]), y: limited(y, state.view.size[1]) };
  byId('x').value = state.pin.x;
  byId('y').value = state.pin.y;
  draw();
}

function resize() {
  const stage = byId('stage');
  state.view.canvas = [Math.max(1, Math.round(stage.clientWidth * ratio())), Math.max(1, Math.round(stage.clientHeight * ratio()))];
  for (const id of ['picture', 'marks']) [byId(id).width, byId(id).height] = state.view.canvas;
  draw();
  rest();
}

function choose(select, value) {
  const option = [...byId(select).options].find((o) => o.value === String(value));
  if (!option || option.disabled) return;
  byId(select).value = value;
  byId(select).dispatchEvent(new Event('change'));
}

// listen connects the controls.
function listen() {
  const on = (id, event, f) => byId(id).addEventListener(event, f);
  on('item', 'change', () => openItem(Number(byId('item').value)).catch((error) => say(error.message)));
  for (const id of ['style', 'layout']) {
    on(id, 'change', () => {
      offer();
      draw();
      rest();
    });
  }
  for (const id of ['a', 'b']) {
    on(id, 'change', () => {
      state[id] = Number(byId(id).value);
      watchCurves();
      reload();
    });
  }
  on('mix', 'input', () => ((state.mix = Number(byId('mix').value)), draw()));
  on('split', 'input', () => ((state.view.split = Number(byId('split').value)), draw()));
  on('scale', 'change', () => Number(byId('scale').value) > 0 && setScale(Number(byId('scale').value)));
  on('scale-slider', 'input', () => setScale(Number((10 ** Number(byId('scale-slider').value)).toPrecision(2))));
  on('auto-scale', 'click', () => state.shown.a?.values && setScale(roundUpScale(state.shown.a.p99)));
  on('range', 'change', () => {
    if (!(Number(byId('range').value) > 0)) return;
    state.range = Number(byId('range').value);
    offer();
    draw();
  });
  for (const id of ['x', 'y']) on(id, 'input', () => pinAt(Number(byId('x').value), Number(byId('y').value)));
  on('clear', 'click', clearMarks);
  on('track', 'click', track);
  on('previous', 'click', () => step(-1));
  on('next', 'click', () => step(1));
  on('play', 'click', play);
  on('number', 'change', () => {
    const wanted = Number(byId('number').value);
    go(state.positions.reduce((a, b) => (Math.abs(b - wanted) < Math.abs(a - wanted) ? b : a)));
  });
  on('help-button', 'click', () => byId('help').showModal());
  listenToPointer({ draw, pinAt, magnifyAt });
  listenToKeys({ step, go, play, choose, setScale, magnifyAt, draw, track, clearMarks });
}

// reload shows the same frame with other results.
function reload() {
  state.shown = {};
  state.full = {};
  go(state.number);
}

function magnifyAt(factor, x = state.view.canvas[0] / 4, y = state.view.canvas[1] / 4) {
  state.view.magnify(factor, x, y);
  draw();
  rest();
}

start().catch((error) => say(error.message));
