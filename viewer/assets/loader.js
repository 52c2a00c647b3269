// Loads what is shown at a frame, and keeps what was shown recently.

import { Store } from './source.js';

const fieldBytes = 256 << 20;
const pictureBytes = 192 << 20;

export class Loader {
  constructor(source) {
    this.source = source;
    this.fields = new Store(fieldBytes);
    this.pictures = new Store(pictureBytes);
    this.pending = new Map(); // key to the promise of what is loading
  }

  // open makes another item the one that is shown.
  async open(item) {
    this.item = item;
    this.fields.clear();
    this.pictures.clear();
    this.description = await this.source.item(item);
    return this.description;
  }

  // positions returns the numbers of the frames that can be shown.
  positions() {
    const { frames, results } = this.description;
    const all = new Set(results.flatMap((r) => r.numbers ?? []));
    for (let n = 0; n < frames; n++) all.add(n);
    return [...all].sort((a, b) => a - b);
  }

  has(result, number) {
    return this.description.results[result]?.numbers?.includes(number) ?? false;
  }

  // slow reports whether a field of a result may have to be estimated.
  slow(result) {
    return this.description.results[result]?.kind === 'estimate';
  }

  // frame returns a frame, with the means of cells of cell times cell pixels; null if there is none.
  async frame(number, cell, signal) {
    if (number >= this.description.frames) return null;
    const [side, key] = this.named('frame', number, cell);
    return this.kept(this.pictures, key, () => this.source.frame(this.item, number, side, this.description, signal));
  }

  // result returns the field, or the image of a painted result, of a frame; null if there is none.
  async result(result, number, cell, signal) {
    if (result < 0 || !this.has(result, number)) return null;
    const [side, key] = this.named(result, number, cell);
    const description = this.description.results[result];
    if (description.kind === 'painted') {
      return this.kept(this.pictures, key, () => this.source.picture(this.item, result, number, side, description, signal));
    }
    return this.kept(this.fields, key, () => this.source.field(this.item, result, number, side, signal));
  }

  // named returns the side of the cells that the source has, and the key of what is stored.
  named(what, number, cell) {
    const side = this.source.whole ? 1 : cell;
    return [side, `${what}/${number}/${side}`];
  }

  // prefetch loads a frame and results that are likely to be shown next. Nothing is estimated for that.
  prefetch(number, results, cell) {
    const ignore = () => {}; // it is asked for again when it is shown
    this.frame(number, cell).catch(ignore);
    for (const result of results) {
      if (!this.slow(result)) this.result(result, number, cell).catch(ignore);
    }
  }

  // kept returns what is in a store, or loads it. Something that is loading is not asked for twice.
  kept(store, key, load) {
    const { item } = this;
    const name = `${item}/${key}`;
    const found = store.get(key) ?? this.pending.get(name);
    if (found) return found;
    const loading = load()
      .then((value) => {
        if (item === this.item) store.put(key, value, value.bytes);
        return value;
      })
      .finally(() => this.pending.delete(name));
    this.pending.set(name, loading);
    return loading;
  }
}
