// The keys that work everywhere in the page.

import { state } from './state.js';
import { byId } from './dom.js';

// listenToKeys connects the keys with what the page can do.
export function listenToKeys({ step, go, play, choose, setScale, magnifyAt, draw, track, clearMarks }) {
  const actions = {
    ArrowLeft: (e) => step(e.shiftKey ? -10 : -1),
    ArrowRight: (e) => step(e.shiftKey ? 10 : 1),
    Home: () => go(state.positions[0]),
    End: () => go(state.positions.at(-1)),
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
      choose('layout', all[(all.indexOf(state.view.layout) + 1) % all.length]);
    },
    '[': () => setScale(state.scale / 1.25),
    ']': () => setScale(state.scale * 1.25),
    '+': () => magnifyAt(1.5),
    '=': () => magnifyAt(1.5),
    '-': () => magnifyAt(1 / 1.5),
    0: () => (state.view.fit(), draw()),
    t: track,
    Escape: clearMarks,
    '?': () => byId('help').showModal(),
  };
  document.addEventListener('keydown', (event) => {
    const { target } = event;
    if (event.ctrlKey || event.altKey || event.metaKey || byId('help').open) return;
    if (target.matches('select, input[type=number]')) return;
    if (target.matches('input[type=range]') && /^(Arrow|Home|End|Page)/.test(event.key)) return; // they move the slider
    if (target.matches('button') && event.key === ' ') return;
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (/^[1-9]$/.test(name)) {
      choose('a', byId('a').options[Number(name) - 1]?.value);
    } else if (actions[name]) {
      actions[name](event);
    } else {
      return;
    }
    event.preventDefault();
  });
}
