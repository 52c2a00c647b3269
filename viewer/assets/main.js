// The page: its state, its controls, and what happens when they are used.

import { Colours } from './colours.js';
import { GLPainter } from './gl.js';
import { RasterPainter } from './raster.js';
import { Server, Embedded } from './source.js';
import { Loader } from './loader.js';
import { View } from './view.js';
import { drawMarks } from './marks.js';
import { drawWheel, drawRamp, drawHistogram } from './legend.js';
import { Timeline } from './timeline.js';
import { boxStatistics, endpointErrors, differences, trackPoint, roundUpScale, directionName } from './measure.js';

const byId = (id) => document.getElementById(id);

const state = {
  number: 0, // of the frame that is wanted
  style: 'flow',
  a: -1, // indices of results; -1 = none
  b: -1,
  truth: -1,
  scale: 0, // pixels; 0 = not chosen yet
  range: 3, // pixels of difference that are brightest
  mix: 0.5,
  pointer: null, // {x, y}, a pixel
  pin: null,
  box: null, // [left, top, right, bottom]
  tracks: [],
  playing: false,
};

let colours;
let loader;
let painter;
let timeline;
let positions = [];
let shown = {}; // {number, frame, a, b, truth} as they are painted
let controller = new AbortController();
let loading = false;
let drawing = false;
const view = new View();

async function start() {
  const embedded = byId('embedded');
  const source = embedded ? new Embedded(JSON.parse(embedded.textContent)) : new Server();
  loader = new Loader(source);
  const session = await source.session();
  colours = new Colours(session);
  painter = newPainter();
  drawWheel(byId('wheel'), colours);
  drawRamp(byId('ramp'), colours);
  timeline = new Timeline(byId('position'), byId('curve'), (index) => go(positions[index]));
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
      const gl = new GLPainter(canvas, colours);
      canvas.addEventListener('webglcontextlost', () => withoutGL());
      return gl;
    } catch (error) {
      console.info(`painting without WebGL: ${error.message}`);
    }
  }
  return new RasterPainter(canvas, colours);
}

// withoutGL replaces the canvas, which can have one kind of context only.
function withoutGL() {
  const old = byId('picture');
  const canvas = old.cloneNode();
  old.replaceWith(canvas);
  painter = new RasterPainter(canvas, colours);
  setSlots();
  draw();
}

async function openItem(item) {
  stop();
  const description = await loader.open(item);
  document.title = `${description.name} - wwflow`;
  positions = loader.positions();
  const { results } = description;
  state.truth = results.findIndex((r) => r.truth);
  const own = results.map((r, i) => i).filter((i) => !results[i].truth);
  state.a = own[0] ?? -1;
  state.b = own[1] ?? -1;
  state.scale = 0;
  shown = {};
  clearMarks();
  for (const id of ['a', 'b']) {
    byId(id).replaceChildren(...own.map((i) => new Option(results[i].name, i)));
    byId(id).value = state[id];
    byId(`${id}-label`).hidden = own.length < 2;
  }
  state.number = positions.find((n) => loader.has(state.a, n)) ?? positions[0] ?? 0;
  byId('layout').value = view.layout = description.frames > 0 ? 'side' : 'single';
  offer();
  timeline.setPositions(positions);
  byId('number').max = positions.at(-1) ?? 0;
  for (const id of ['previous', 'next', 'play', 'number', 'position', 'speed']) byId(id).disabled = positions.length < 2;
  byId('track').parentElement.hidden = positions.length < 2;
  watchCurves();
  await go(state.number);
}

// offer enables the choices that the item has data for.
function offer() {
  const { frames, results } = loader.description;
  const has = {
    frame: frames > 0,
    b: state.b >= 0,
    truth: state.truth >= 0,
    confidence: Boolean(shown.a?.confidence) || results[state.a]?.kind === 'estimate',
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
  view.layout = byId('layout').value;
  byId('mix-label').hidden = state.style !== 'overlay';
  byId('split-label').hidden = view.layout !== 'split';
  const ramp = ['confidence', 'difference', 'error'].includes(state.style);
  byId('ramp-legend').hidden = !ramp;
  byId('range-label').hidden = state.style === 'confidence';
  byId('ramp-end').textContent = state.style === 'confidence' ? '1' : `${state.range} px`;
}

// go shows a frame. While one is loading, the last one that was asked for is loaded next.
async function go(number) {
  state.number = number;
  if (positions.length) timeline.show(positions.indexOf(number), `frame ${number}${clockOf(number)}`);
  byId('number').value = number;
  byId('time').textContent = clockOf(number);
  if (loading) {
    if ([state.a, state.b].some((r) => loader.slow(r))) controller.abort();
    return;
  }
  loading = true;
  try {
    do {
      await load(state.number);
    } while (shown.number !== state.number);
  } finally {
    loading = false;
  }
}

// clockOf returns the time of a frame, if it is known.
function clockOf(number) {
  const seconds = loader.description.times?.[number];
  if (seconds === undefined) return '';
  return ` ${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(2).padStart(5, '0')}`;
}

// load loads a frame and its results, and shows them. Fields that may have to be estimated come after the picture.
async function load(number) {
  controller = new AbortController();
  const { signal } = controller;
  const next = { number, frame: null, a: null, b: null, truth: null };
  const parts = ['a', 'b', 'truth'].filter((part) => state[part] >= 0);
  const get = async (part) => {
    next[part] = await loader.result(state[part], number, signal);
  };
  try {
    const quick = parts.filter((part) => !loader.slow(state[part]));
    const slow = parts.filter((part) => loader.slow(state[part]) && loader.has(state[part], number));
    await Promise.all([loader.frame(number, signal).then((frame) => (next.frame = frame)), ...quick.map(get)]);
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
  } catch (error) {
    if (error.name === 'AbortError') return;
    say(error.message);
    stop();
  }
  show(next);
}

function say(text) {
  byId('message').textContent = text;
}

// show paints what was loaded.
function show(next) {
  shown = next;
  const size = next.a ?? next.frame ?? next.b ?? next.truth;
  if (size) {
    view.size = [size.width, size.height];
    byId('x').max = size.width - 1;
    byId('y').max = size.height - 1;
  }
  if (next.a?.values && state.scale === 0) setScale(next.a.scale);
  setSlots();
  offer();
  draw();
  compare();
}

function setSlots() {
  const largest = Math.max(...[shown.frame, shown.a, shown.b, shown.truth].map((s) => Math.max(s?.width ?? 0, s?.height ?? 0)));
  if (!painter.fits(largest, largest)) return withoutGL();
  painter.setPicture('frame', shown.frame);
  for (const part of ['a', 'b', 'truth']) {
    const content = shown[part];
    painter.setField(part, content?.values ? content : null);
    painter.setPicture(`${part}/painted`, content && !content.values ? content : null);
  }
}

// panes returns what the painter shall draw.
function panes() {
  const common = { zoom: view.zoom(), scale: state.scale || 1, range: state.range, mix: state.mix, picture: 'frame', b: 'b' };
  const of = (part, rect, origin) => {
    const pane = { ...common, rect, origin: origin ?? view.origin(rect), a: part, style: state.style };
    if (state.style === 'error') Object.assign(pane, { style: 'difference', b: 'truth' });
    const content = shown[part];
    if (content && !content.values && state.style !== 'frame') Object.assign(pane, { style: 'painted', picture: `${part}/painted` });
    return pane;
  };
  const cells = view.cells();
  if (view.layout === 'side') return [{ ...of('a', cells[0]), style: 'frame', picture: 'frame' }, of('a', cells[1])];
  if (view.layout === 'both') return [of('a', cells[0]), of('b', cells[1])];
  if (view.layout === 'split') {
    const [x, y, w, h] = cells[0];
    const left = Math.round(view.split * w);
    const origin = view.origin(cells[0]);
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
    painter.draw(panes());
    markPictures();
    readOut();
  });
}

function markPictures() {
  const flowAt = (p) => p && { ...p, flow: shown.a?.at?.(p.x, p.y) };
  const field = shown.a?.values && state.style === 'arrows' ? shown.a : null;
  drawMarks(byId('marks'), view, {
    number: shown.number,
    arrows: field && { field, scale: state.scale, colours, pane: view.layout === 'side' ? 1 : 0 },
    tracks: state.tracks,
    box: state.box,
    pin: flowAt(state.pin),
    pointer: flowAt(state.pointer),
  }, ratio());
  const name = byId('style').selectedOptions[0].textContent;
  byId('picture').setAttribute('aria-label', `${view.layout === 'side' ? 'video and ' : ''}${name} of frame ${shown.number}`);
}

// readOut shows the flow of the pinned pixel, or of the one under the pointer.
function readOut() {
  const p = state.pin ?? state.pointer;
  const rows = [];
  const columns = ['a', 'b', 'truth'].filter((part) => shown[part]?.values);
  byId('pixel-b').hidden = !columns.includes('b');
  byId('pixel-t').hidden = !columns.includes('truth');
  const row = (name, value) => {
    const tr = document.createElement('tr');
    const th = Object.assign(document.createElement('th'), { scope: 'row', textContent: name });
    tr.append(th, ...columns.map((part) => Object.assign(document.createElement('td'), { textContent: value(shown[part]) })));
    rows.push(tr);
  };
  if (p && columns.length) {
    const known = (text) => (field) => {
      const flow = field.at(p.x, p.y);
      return flow ? text(flow) : 'unknown';
    };
    if (!state.pin) row('x, y', () => `${p.x}, ${p.y}`);
    row('u, v', known(([u, v]) => `${u.toFixed(2)}, ${v.toFixed(2)}`));
    row('length', known((flow) => `${Math.hypot(...flow).toFixed(2)} px`));
    row('direction', known(([u, v]) => directionName(u, v)));
    row('target', known(([u, v]) => `${(p.x + u).toFixed(1)}, ${(p.y + v).toFixed(1)}`));
    if (columns.some((part) => shown[part].confidence)) {
      row('confidence', (field) => (field.confidence && field.at(p.x, p.y) ? (field.confidence[p.y * field.width + p.x] / 255).toFixed(2) : ''));
    }
    if (shown.truth?.values && shown.a?.values) {
      row('error', (field) => {
        const [f, t] = [field.at(p.x, p.y), shown.truth.at(p.x, p.y)];
        return field !== shown.truth && f && t ? `${Math.hypot(f[0] - t[0], f[1] - t[1]).toFixed(2)} px` : '';
      });
    }
  } else if (p && shown.a) {
    say('a flow video has colours and no vectors');
  }
  byId('pixel').replaceChildren(...rows);
  byId('pixel-hint').hidden = rows.length > 0;
  byId('track').disabled = !state.pin || !shown.a?.values;
  boxText();
}

function boxText() {
  const box = state.box && shown.a?.values ? state.box : null;
  byId('box-section').hidden = !box;
  if (!box) return;
  const key = [...box, shown.number, state.a].join();
  if (byId('box-text').dataset.key === key) return;
  byId('box-text').dataset.key = key;
  const s = boxStatistics(shown.a, box);
  const size = `${box[2] - box[0]} × ${box[3] - box[1]} pixels at ${box[0]}, ${box[1]}`;
  const unknown = s.unknown ? `, ${s.unknown} unknown` : '';
  byId('box-text').textContent = s.n
    ? `${size}${unknown}: mean u, v ${s.u.toFixed(2)}, ${s.v.toFixed(2)}; mean length ${s.length.toFixed(2)} px; ${directionName(s.u, s.v)}`
    : `${size}${unknown}`;
  drawHistogram(byId('histogram'), s.histogram ?? []);
  byId('histogram-end').textContent = s.n ? `${s.limit.toFixed(2)} px` : '';
}

// compare shows the statistics of the errors, or of the difference of two results.
function compare() {
  const { a, b, truth } = shown;
  const lines = [];
  const add = (name, text) => {
    const tr = document.createElement('tr');
    tr.append(Object.assign(document.createElement('th'), { scope: 'row', textContent: name }), Object.assign(document.createElement('td'), { textContent: text }));
    lines.push(tr);
  };
  if (truth?.values) {
    for (const [name, field] of [
      ['A', a],
      ['B', b],
    ]) {
      if (!field?.values) continue;
      const e = endpointErrors(field, truth);
      if (!e) add(`error of ${name}`, 'its size is not that of the ground truth');
      else if (e.n > 0) add(`error of ${name}`, `EPE ${e.epe.toFixed(3)} px, 1px ${e.over1.toFixed(1)} %, Fl ${e.fl.toFixed(1)} %`);
    }
  }
  if (a?.values && b?.values) {
    const d = differences(a, b);
    if (!d) add('A − B', 'their sizes differ');
    else if (d.n > 0) add('A − B', `mean ${d.mean.toFixed(3)} px, 99th percentile ${d.p99.toFixed(3)} px`);
  }
  byId('compare').replaceChildren(...lines);
  byId('compare-section').hidden = lines.length === 0;
}

function setScale(pixels) {
  state.scale = Math.min(Math.max(pixels, 0.01), 1e5);
  byId('scale').value = Number(state.scale.toPrecision(4));
  byId('scale-slider').value = Math.log10(state.scale);
  byId('scale-slider').setAttribute('aria-valuetext', `${state.scale.toPrecision(3)} pixels`);
  draw();
}

// watchCurves asks for the motion curves of the results until they are complete.
async function watchCurves() {
  const { item } = loader;
  const wanted = [state.a, state.b].filter((r) => r >= 0 && loader.description.results[r].kind !== 'painted');
  timeline.setCurves([]);
  for (let complete = false; !complete && item === loader.item; ) {
    try {
      const curves = await Promise.all(wanted.map((r) => loader.source.curve(item, r)));
      if (item !== loader.item) return;
      timeline.setCurves(curves);
      complete = curves.every((curve, k) => curve.done && !loader.slow(wanted[k]));
    } catch {
      return; // the next picture says why
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

function step(by) {
  const index = positions.indexOf(state.number);
  go(positions[Math.min(Math.max(index + by, 0), positions.length - 1)]);
}

function play() {
  if (state.playing) return stop();
  if (state.number === positions.at(-1)) go(positions[0]);
  state.playing = true;
  byId('play').textContent = 'Stop';
  byId('play').setAttribute('aria-pressed', 'true');
  let due = performance.now();
  const tick = (now) => {
    if (!state.playing) return;
    if (!loading && now >= due) {
      const index = positions.indexOf(state.number);
      if (index === positions.length - 1) return stop();
      const length = duration(positions[index], positions[index + 1]);
      due = Math.max(due + length, now - length); // a late picture does not make all later ones late
      step(1);
    }
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}

// duration returns how many milliseconds a frame is shown.
function duration(number, next) {
  const { times, rate } = loader.description;
  const seconds = times?.[next] > times?.[number] ? times[next] - times[number] : (next - number) / rate;
  return (1000 * seconds) / Number(byId('speed').value);
}

function stop() {
  state.playing = false;
  byId('play').textContent = 'Play';
  byId('play').setAttribute('aria-pressed', 'false');
}

async function track() {
  const from = state.pin ?? state.pointer;
  if (!from || !shown.a?.values) return;
  const { item } = loader;
  const result = state.a;
  const places = [];
  state.tracks.push(places);
  const count = Number(byId('track-count').value) || 25;
  const text = () => {
    const { number, x, y } = places.at(-1);
    return `frame ${number}: ${x.toFixed(1)}, ${y.toFixed(1)}`;
  };
  const wanted = () => loader.item === item && state.tracks.includes(places);
  try {
    await trackPoint({
      ...from,
      number: shown.number,
      count,
      fieldOf: (n) => loader.result(result, n),
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
  state.pin = { x: limited(x, view.size[0]), y: limited(y, view.size[1]) };
  byId('x').value = state.pin.x;
  byId('y').value = state.pin.y;
  draw();
}

function ratio() {
  return devicePixelRatio || 1;
}

function resize() {
  const stage = byId('stage');
  view.canvas = [Math.max(1, Math.round(stage.clientWidth * ratio())), Math.max(1, Math.round(stage.clientHeight * ratio()))];
  for (const id of ['picture', 'marks']) [byId(id).width, byId(id).height] = view.canvas;
  draw();
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
  on('split', 'input', () => ((view.split = Number(byId('split').value)), draw()));
  on('scale', 'change', () => Number(byId('scale').value) > 0 && setScale(Number(byId('scale').value)));
  on('scale-slider', 'input', () => setScale(Number((10 ** Number(byId('scale-slider').value)).toPrecision(2))));
  on('auto-scale', 'click', () => shown.a?.values && setScale(roundUpScale(shown.a.p99)));
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
    go(positions.reduce((a, b) => (Math.abs(b - wanted) < Math.abs(a - wanted) ? b : a)));
  });
  on('help-button', 'click', () => byId('help').showModal());
  listenToPointer();
  document.addEventListener('keydown', key);
}

// reload shows the same frame with other results.
function reload() {
  shown = {};
  go(state.number);
}

const keys = {
  ArrowLeft: (e) => step(e.shiftKey ? -10 : -1),
  ArrowRight: (e) => step(e.shiftKey ? 10 : 1),
  Home: () => go(positions[0]),
  End: () => go(positions.at(-1)),
  ' ': play,
  f: () => choose('style', 'flow'),
  o: () => choose('style', 'overlay'),
  r: () => choose('style', 'arrows'),
  c: () => choose('style', 'confidence'),
  v: () => choose('style', 'frame'),
  d: () => choose('style', 'difference'),
  e: () => choose('style', 'error'),
  l: () => {
    const all = [...byId('layout').options].filter((o) => !o.disabled).map((o) => o.value);
    choose('layout', all[(all.indexOf(view.layout) + 1) % all.length]);
  },
  '[': () => setScale(state.scale / 1.25),
  ']': () => setScale(state.scale * 1.25),
  '+': () => magnifyAt(1.5),
  '=': () => magnifyAt(1.5),
  '-': () => magnifyAt(1 / 1.5),
  0: () => (view.fit(), draw()),
  t: track,
  Escape: clearMarks,
  '?': () => byId('help').showModal(),
};

function key(event) {
  const { target } = event;
  if (event.ctrlKey || event.altKey || event.metaKey || byId('help').open) return;
  if (target.matches('select, input[type=number]')) return;
  if (target.matches('input[type=range]') && /^(Arrow|Home|End|Page)/.test(event.key)) return; // they move the slider
  if (target.matches('button') && event.key === ' ') return;
  const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (/^[1-9]$/.test(name)) {
    choose('a', byId('a').options[Number(name) - 1]?.value);
  } else if (keys[name]) {
    keys[name](event);
  } else {
    return;
  }
  event.preventDefault();
}

function magnifyAt(factor, x = view.canvas[0] / 4, y = view.canvas[1] / 4) {
  view.magnify(factor, x, y);
  draw();
}

// listenToPointer connects the picture: pointing reads, clicking pins, dragging makes a box or, with Shift or another
// button, moves the picture. In the split layout the line can be dragged.
function listenToPointer() {
  const stage = byId('stage');
  const place = (event) => {
    const box = stage.getBoundingClientRect();
    return [(event.clientX - box.left) * ratio(), (event.clientY - box.top) * ratio()];
  };
  const pixel = (event) => {
    const at = view.pixelAt(...place(event));
    if (!at) return null;
    const [x, y] = [Math.floor(at.x), Math.floor(at.y)];
    return x >= 0 && y >= 0 && x < view.size[0] && y < view.size[1] ? { x, y } : null;
  };
  let drag = null;
  stage.addEventListener('pointerdown', (event) => {
    const [px, py] = place(event);
    const onLine = view.layout === 'split' && Math.abs(px - view.split * view.canvas[0]) < 8 * ratio();
    const kind = onLine ? 'line' : event.shiftKey || event.button !== 0 ? 'move' : 'box';
    drag = { kind, from: pixel(event), px, py, far: false };
    stage.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  stage.addEventListener('pointermove', (event) => {
    const [px, py] = place(event);
    state.pointer = pixel(event);
    if (drag?.kind === 'line') {
      byId('split').value = view.split = Math.min(Math.max(px / view.canvas[0], 0), 1);
    } else if (drag?.kind === 'move') {
      view.move((drag.px - px) / view.zoom(), (drag.py - py) / view.zoom());
      [drag.px, drag.py] = [px, py];
    } else if (drag) {
      drag.far ||= Math.hypot(px - drag.px, py - drag.py) > 5 * ratio();
      const to = state.pointer;
      if (drag.far && drag.from && to) {
        const sorted = (a, b) => (a < b ? [a, b + 1] : [b, a + 1]);
        const [x, y] = [sorted(drag.from.x, to.x), sorted(drag.from.y, to.y)];
        state.box = [x[0], y[0], x[1], y[1]];
      }
    }
    draw();
  });
  stage.addEventListener('pointerup', () => {
    if (drag?.kind === 'box' && !drag.far && drag.from) pinAt(drag.from.x, drag.from.y);
    drag = null;
  });
  stage.addEventListener('pointercancel', () => (drag = null));
  stage.addEventListener('pointerleave', () => {
    state.pointer = null;
    draw();
  });
  stage.addEventListener('contextmenu', (event) => event.preventDefault());
  stage.addEventListener(
    'wheel',
    (event) => {
      magnifyAt(1.0015 ** -event.deltaY, ...place(event));
      event.preventDefault();
    },
    { passive: false },
  );
}

start().catch((error) => say(error.message));
