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

  async frame(number, signal) {
    if (number >= this.description.frames) return null;
    return this.kept(this.pictures, `frame/${number}`, () => this.source.frame(this.item, number, signal), pictureSize);
  }

  // result returns the field, or the image of a painted result, of a frame; null if there is none.
  async result(result, number, signal) {
    if (result < 0 || !this.has(result, number)) return null;
    const key = `${result}/${number}`;
    if (this.description.results[result].kind === 'painted') {
      return this.kept(this.pictures, key, () => this.source.picture(this.item, result, number, signal), pictureSize);
    }
    return this.kept(this.fields, key, () => this.source.field(this.item, result, number, signal), (f) => f.bytes);
  }

  // prefetch loads a frame and results that are likely to be shown next. Nothing is estimated for that.
  prefetch(number, results) {
    const ignore = () => {}; // it is asked for again when it is shown
    this.frame(number).catch(ignore);
    for (const result of results) {
      if (!this.slow(result)) this.result(result, number).catch(ignore);
    }
  }

  // kept returns what is in a store, or loads it. Something that is loading is not asked for twice.
  kept(store, key, load, size) {
    const { item } = this;
    const name = `${item}/${key}`;
    const found = store.get(key) ?? this.pending.get(name);
    if (found) return found;
    const loading = load()
      .then((value) => {
        if (item === this.item) store.put(key, value, size(value));
        return value;
      })
      .finally(() => this.pending.delete(name));
    this.pending.set(name, loading);
    return loading;
  }
}

function pictureSize(picture) {
  return 4 * picture.width * picture.height;
}
