// At which resolution frames are shown. A cell is a square of pixels of which a field or a frame has the mean only.

import { state } from './state.js';

const most = 1920 * 1080; // entries of a field while frames change
const largest = 64; // pixels of a cell's side, as viewer/reduce.go allows

// movingCell returns the side of the cells while frames are scrubbed or played: not more is loaded than the page shows when the
// whole picture fits its pane.
export function movingCell() {
  if (state.loader.source.whole) return 1;
  const [width, height] = state.view.size;
  const shown = Math.floor(state.view.magnification / state.view.zoom());
  return Math.min(Math.max(shown, Math.ceil(Math.sqrt((width * height) / most)), 1), largest);
}

// restingCell returns the side of the cells once a frame stays. It is 1 if the picture is shown at its size or magnified.
export function restingCell() {
  return Math.min(Math.max(Math.floor(1 / state.view.zoom()), 1), movingCell());
}
