// The pointer over the picture.

import { state } from './state.js';
import { byId, ratio } from './dom.js';

// listenToPointer connects the picture: pointing reads, clicking pins, dragging makes a box or, with Shift or another
// button, moves the picture. In the split layout the line can be dragged.
export function listenToPointer({ draw, pinAt, magnifyAt }) {
  const stage = byId('stage');
  const place = (event) => {
    const box = stage.getBoundingClientRect();
    return [(event.clientX - box.left) * ratio(), (event.clientY - box.top) * ratio()];
  };
  const pixel = (event) => {
    const at = state.view.pixelAt(...place(event));
    if (!at) return null;
    const [x, y] = [Math.floor(at.x), Math.floor(at.y)];
    return x >= 0 && y >= 0 && x < state.view.size[0] && y < state.view.size[1] ? { x, y } : null;
  };
  let drag = null;
  stage.addEventListener('pointerdown', (event) => {
    const [px, py] = place(event);
    const onLine = state.view.layout === 'split' && Math.abs(px - state.view.split * state.view.canvas[0]) < 8 * ratio();
    const kind = onLine ? 'line' : event.shiftKey || event.button !== 0 ? 'move' : 'box';
    drag = { kind, from: pixel(event), px, py, far: false };
    stage.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  stage.addEventListener('pointermove', (event) => {
    const [px, py] = place(event);
    state.pointer = pixel(event);
    if (drag?.kind === 'line') {
      byId('split').value = state.view.split = Math.min(Math.max(px / state.view.canvas[0], 0), 1);
    } else if (drag?.kind === 'move') {
      state.view.move((drag.px - px) / state.view.zoom(), (drag.py - py) / state.view.zoom());
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
