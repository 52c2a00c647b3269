// The timeline: a slider over the frames, with the motion curve behind it.

export class Timeline {
  // slider is an input of type range, canvas is behind it. chosen is called with the index of a position.
  constructor(slider, canvas, chosen) {
    this.slider = slider;
    this.canvas = canvas;
    this.positions = []; // numbers of frames
    this.curves = []; // of the results that are shown, as the server sends them
    slider.addEventListener('input', () => chosen(Number(slider.value)));
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  setPositions(positions) {
    this.positions = positions;
    this.slider.max = Math.max(0, positions.length - 1);
    this.draw();
  }

  setCurves(curves) {
    this.curves = curves;
    this.draw();
  }

  // show moves the slider. text says where it is.
  show(index, text) {
    this.slider.value = index;
    this.slider.setAttribute('aria-valuetext', text);
  }

  // highest returns the largest mean length of the curves, in pixels; 0 without curves.
  highest() {
    return Math.max(0, ...this.curves.flatMap((curve) => curve.pairs.map((pair) => pair.length?.mean ?? 0)));
  }

  draw() {
    const { canvas } = this;
    const ratio = devicePixelRatio || 1;
    canvas.width = Math.max(1, Math.round(canvas.clientWidth * ratio));
    canvas.height = Math.max(1, Math.round(canvas.clientHeight * ratio));
    const c = canvas.getContext('2d');
    const style = getComputedStyle(canvas);
    const edge = 8 * ratio; // half the slider's thumb
    const span = Math.max(1, this.positions.length - 1);
    const index = new Map(this.positions.map((n, i) => [n, i]));
    const x = (n) => edge + ((canvas.width - 2 * edge) * (index.get(n) ?? 0)) / span;
    const highest = this.highest() || 1;
    const y = (pair) => canvas.height - 2 * ratio - ((pair.length?.mean ?? 0) / highest) * (canvas.height - 6 * ratio);
    const colours = [style.getPropertyValue('--curve-a'), style.getPropertyValue('--curve-b')];
    this.curves.forEach(({ pairs, cuts }, k) => {
      c.beginPath();
      for (const pair of pairs) c.lineTo(x(pair.frame), y(pair));
      c.strokeStyle = c.fillStyle = colours[k % 2];
      c.lineWidth = 1.5 * ratio;
      c.stroke();
      if (k === 0 && pairs.length > 1) {
        c.lineTo(x(pairs.at(-1).frame), canvas.height);
        c.lineTo(x(pairs[0].frame), canvas.height);
        c.globalAlpha = 0.15;
        c.fill();
        c.globalAlpha = 1;
      }
      c.fillStyle = style.getPropertyValue('--cut');
      for (const n of cuts) c.fillRect((x(n) + x(n + 1)) / 2 - ratio, 0, 2 * ratio, canvas.height);
    });
  }
}
