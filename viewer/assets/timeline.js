// The timeline: a slider over the frames, with the motion curve behind it.

export class Timeline {
  // slider is an input of type range, canvas is behind it. chosen is called with the index of a position.
  constructor(slider, canvas, chosen) {
    this.slider = slider;
    this.canvas = canvas;
    this.positions = []; // numbers of frames
    this.curves = []; // {numbers, mean, cuts} of the results that are shown
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
    const highest = Math.max(1e-9, ...this.curves.map((curve) => curve.mean.reduce((a, b) => Math.max(a, b), 0)));
    const y = (value) => canvas.height - 2 * ratio - (value / highest) * (canvas.height - 6 * ratio);
    const colours = [style.getPropertyValue('--curve-a'), style.getPropertyValue('--curve-b')];
    this.curves.forEach((curve, k) => {
      c.beginPath();
      curve.numbers.forEach((n, i) => c.lineTo(x(n), y(curve.mean[i])));
      c.strokeStyle = c.fillStyle = colours[k % 2];
      c.lineWidth = 1.5 * ratio;
      c.stroke();
      if (k === 0 && curve.numbers.length > 1) {
        c.lineTo(x(curve.numbers.at(-1)), canvas.height);
        c.lineTo(x(curve.numbers[0]), canvas.height);
        c.globalAlpha = 0.15;
        c.fill();
        c.globalAlpha = 1;
      }
      c.fillStyle = style.getPropertyValue('--cut');
      for (const n of curve.cuts ?? []) c.fillRect(x(n), 0, 2 * ratio, canvas.height);
    });
    c.fillStyle = style.color;
    c.font = `${11 * ratio}px system-ui, sans-serif`;
    if (this.curves.some((curve) => curve.numbers.length > 1)) c.fillText(`mean length, up to ${highest.toPrecision(3)} px`, edge, 12 * ratio);
  }
}
