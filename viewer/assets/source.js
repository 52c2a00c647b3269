// Where the page gets its data from: the server, or the page itself.

import { parsePacket } from './packet.js';
import { pictureOf } from './picture.js';

// Server asks the server that sent the page. Its methods reject with an Error that says what is wrong.
export class Server {
  constructor() {
    // A connection over a network is slower than unpacking.
    this.packed = !['127.0.0.1', 'localhost', '[::1]'].includes(location.hostname);
  }

  session() {
    return this.json('api/session');
  }

  item(item) {
    return this.json(`api/item?item=${item}`);
  }

  curve(item, result) {
    return this.json(`api/curve?item=${item}&result=${result}`);
  }

  // frame, picture and field return the means of cells of cell times cell pixels.
  async frame(item, number, cell, size, signal) {
    return pictureOf(await (await this.ask(`api/frame?item=${item}&number=${number}&cell=${cell}`, signal)).blob(), cell, size);
  }

  async picture(item, result, number, cell, size, signal) {
    const answer = await this.ask(`api/picture?item=${item}&result=${result}&number=${number}&cell=${cell}`, signal);
    return pictureOf(await answer.blob(), cell, size);
  }

  async field(item, result, number, cell, signal) {
    const packed = this.packed ? '&packed=1' : '';
    const answer = await this.ask(`api/field?item=${item}&result=${result}&number=${number}&cell=${cell}${packed}`, signal);
    return parsePacket(await answer.arrayBuffer());
  }

  async json(address) {
    return (await this.ask(address)).json();
  }

  async ask(address, signal) {
    let answer;
    try {
      answer = await fetch(address, { signal });
    } catch (error) {
      if (error.name === 'AbortError') throw error;
      throw new Error('wwflow view does not answer any more: start it again');
    }
    if (!answer.ok) throw new Error((await answer.text()).trim());
    return answer;
  }
}

// Embedded reads what viewer/page.go has written into the page, always with every pixel.
export class Embedded {
  constructor(content) {
    this.content = content;
    this.whole = true;
  }

  async session() {
    return this.content.session;
  }

  async item() {
    return this.content.item;
  }

  async curve(_, result) {
    return this.content.curves[result];
  }

  async frame(_, number) {
    return pictureOf(new Blob([decoded(this.content.frames[number])]));
  }

  async picture(_, result, number) {
    return pictureOf(new Blob([decoded(this.content.pictures[`${result}/${number}`])]));
  }

  async field(_, result, number) {
    return parsePacket(decoded(this.content.fields[`${result}/${number}`]).buffer);
  }
}

function decoded(text) {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

// Store keeps what was used last, up to a number of bytes.
export class Store {
  constructor(limit) {
    this.limit = limit;
    this.bytes = 0;
    this.entries = new Map(); // key to {value, bytes}, the least recently used first
  }

  get(key) {
    const entry = this.entries.get(key);
    if (!entry) return undefined;
    this.entries.delete(key);
    this.entries.set(key, entry);
    return entry.value;
  }

  put(key, value, bytes) {
    this.remove(key);
    this.entries.set(key, { value, bytes });
    this.bytes += bytes;
    for (const oldest of this.entries.keys()) {
      if (this.bytes <= this.limit || this.entries.size <= 4) break;
      this.remove(oldest);
    }
  }

  remove(key) {
    const entry = this.entries.get(key);
    if (!entry) return;
    this.bytes -= entry.bytes;
    this.entries.delete(key);
  }

  clear() {
    this.entries.clear();
    this.bytes = 0;
  }
}
