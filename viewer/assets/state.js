// What the page shows, and how.

import { View } from './view.js';

export const state = {
  loader: null,
  painter: null,
  timeline: null,
  colours: null,
  view: new View(),
  controller: new AbortController(), // of what is loading
  positions: [], // numbers of the frames that can be shown
  shown: {}, // {number, cell, frame, a, b, truth} as they are painted
  full: {}, // {number, a, b, truth}: the fields of the shown frame with every pixel, once they are loaded
  curves: [], // of the results a and b

  number: 0, // of the frame that is wanted
  stride: 1, // positions of the last step; negative = backward
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
