// Where the page gets its data from: the server, or the page itself.

import { parsePacket } from './packet.js';

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

  async frame(item, number, signal) {
    return bitmapOf(await (await this.ask(`api/frame?item=${item}&number=${number}`, signal)).blob());
  }

  async picture(item, result, number, signal) {
    return bitmapOf(await (await this.ask(`api/picture?item=${item}&result=${result}&number=${number}`, signal)).blob());
  }

  async field(item, result, number, signal) {
    const packed = this.packed ? '&packed=1' : '';
    const answer = await this.ask(`api/field?item=${item}&result=${result}&number=${number}${packed}`, signal);
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

// Embedded reads what viewer/page.go has written into the page.
export class Embedded {
  constructor(content) {
    this.content = content;
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
    return bitmapOf(new Blob([decoded(this.content.frames[number])]));
  }

  async picture(_, result, number) {
    return bitmapOf(new Blob([decoded(this.content.pictures[`${result}/${number}`])]));
  }

  async field(_, result, number) {
    return parsePacket(decoded(this.content.fields[`${result}/${number}`]).buffer);
  }
}

function decoded(text) {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

function bitmapOf(blob) {
  return createImageBitmap(blob, { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
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
