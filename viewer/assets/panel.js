// The panel: what is measured in the fields that are shown.

import { drawHistogram } from './legend.js';
import { boxStatistics, endpointErrors, differences, directionName } from './measure.js';
import { state } from './state.js';
import { byId, say, tableRow } from './dom.js';

const waiting = '…'; // every pixel of the field is not there yet
let computing = 0;

// markBusy says whether values are still missing.
export function markBusy() {
  const missing = state.full.number !== state.shown.number;
  byId('panel').setAttribute('aria-busy', String(missing || computing > 0));
}

// computed returns the result of an asynchronous computation, and marks the panel as busy meanwhile.
async function computed(result) {
  computing++;
  markBusy();
  try {
    return await result;
  } finally {
    computing--;
    markBusy();
  }
}

// readOut shows the flow of the pinned pixel, or of the one under the pointer. It is that of the full field.
export function readOut() {
  const p = state.pin ?? state.pointer;
  const rows = [];
  const columns = ['a', 'b', 'truth'].filter((part) => state.shown[part]?.values);
  byId('pixel-b').hidden = !columns.includes('b');
  byId('pixel-t').hidden = !columns.includes('truth');
  const row = (name, value) => rows.push(tableRow(name, ...columns.map((part) => (state.full[part] ? value(state.full[part]) : waiting))));
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
    if (columns.some((part) => state.shown[part].confidence)) {
      row('confidence', (field) => (field.confidence && field.at(p.x, p.y) ? (field.confidence[p.y * field.width + p.x] / 255).toFixed(2) : ''));
    }
    if (columns.includes('truth') && columns.includes('a')) {
      row('error', (field) => {
        const [f, t] = [field.at(p.x, p.y), state.full.truth.at(p.x, p.y)];
        return field !== state.full.truth && f && t ? `${Math.hypot(f[0] - t[0], f[1] - t[1]).toFixed(2)} px` : '';
      });
    }
  } else if (p && state.shown.a) {
    say('a flow video has colours and no vectors');
  }
  byId('pixel').replaceChildren(...rows);
  byId('pixel-hint').hidden = rows.length > 0;
  byId('track').disabled = !state.pin || !state.shown.a?.values;
  boxText();
}

async function boxText() {
  const field = state.full.a?.values ? state.full.a : null;
  if (!state.box || !state.shown.a?.values) byId('box-section').hidden = true;
  const key = state.box && field ? [...state.box, state.shown.number, state.a].join() : '';
  const { dataset } = byId('box-text');
  if (dataset.key === key) return;
  dataset.key = key;
  if (!key) return;
  const { box } = state;
  const s = await computed(boxStatistics(field, box, () => dataset.key === key));
  if (!s || dataset.key !== key) return;
  const size = `${box[2] - box[0]} × ${box[3] - box[1]} pixels at ${box[0]}, ${box[1]}`;
  const unknown = s.unknown ? `, ${s.unknown} unknown` : '';
  byId('box-text').textContent = s.n
    ? `${size}${unknown}: mean u, v ${s.u.toFixed(2)}, ${s.v.toFixed(2)}; mean length ${s.length.toFixed(2)} px; ${directionName(s.u, s.v)}`
    : `${size}${unknown}`;
  byId('box-section').hidden = false;
  drawHistogram(byId('histogram'), s.histogram ?? []);
  byId('histogram-end').textContent = s.n ? `${s.limit.toFixed(2)} px` : '';
}

// compare shows the statistics of the errors, or of the difference of two results.
export async function compare() {
  const { shown, full } = state;
  const wanted = () => state.shown === shown && state.full === full;
  const lines = [];
  for (const [part, name] of [
    ['a', 'A'],
    ['b', 'B'],
  ]) {
    if (!shown.truth?.values || !shown[part]?.values) continue;
    const e = full.truth ? await computed(endpointErrors(full[part], full.truth, wanted)) : undefined;
    if (!wanted()) return;
    if (e === null) lines.push([`error of ${name}`, 'its size is not that of the ground truth']);
    else if (!e) lines.push([`error of ${name}`, waiting]);
    else if (e.n > 0) lines.push([`error of ${name}`, `EPE ${e.epe.toFixed(3)} px, 1px ${e.over1.toFixed(1)} %, Fl ${e.fl.toFixed(1)} %`]);
  }
  if (shown.a?.values && shown.b?.values) {
    const d = full.a && full.b ? differences(full.a, full.b) : undefined;
    if (d === null) lines.push(['A − B', 'their sizes differ']);
    else if (!d) lines.push(['A − B', waiting]);
    else if (d.n > 0) lines.push(['A − B', `mean ${d.mean.toFixed(3)} px, 99th percentile ${d.p99.toFixed(3)} px`]);
  }
  byId('compare').replaceChildren(...lines.map(([name, text]) => tableRow(name, text)));
  byId('compare-section').hidden = lines.length === 0;
}

// frameText shows the motion statistics of the frame, once the server has measured it.
export function frameText() {
  const pairs = state.curves.map((curve) => curve.pairs.find((pair) => pair.frame === state.shown.number));
  byId('frame-section').hidden = !pairs.some((pair) => pair?.length);
  const row = (name, text) => tableRow(name, ...pairs.map((pair) => (pair?.length ? text(pair) : '')));
  byId('frame-table').replaceChildren(
    row('mean, median', (p) => `${p.length.mean.toFixed(2)}, ${p.length.median.toFixed(2)} px`),
    row('95, 99 %', (p) => `${p.length.p95.toFixed(2)}, ${p.length.p99.toFixed(2)} px`),
    row('moving', (p) => `${(100 * p.moving).toFixed(1)} %`),
    row('pan, tilt', (p) => (p.camera ? `${p.camera.pan.toFixed(2)}, ${p.camera.tilt.toFixed(2)} px` : 'unknown')),
    row('zoom, roll', (p) => (p.camera ? `${p.camera.zoom.toFixed(4)}, ${p.camera.roll.toFixed(2)}°` : 'unknown')),
  );
}
