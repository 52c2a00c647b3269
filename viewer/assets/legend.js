// The legend: what the colours mean.

// drawWheel draws the colour wheel onto a square canvas. Its inner circle has the length of full saturation.
export function drawWheel(canvas, colours) {
  const side = canvas.width;
  const context = canvas.getContext('2d');
  const image = context.createImageData(side, side);
  const outer = side / 2;
  const inner = outer / 1.2;
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const dx = x + 0.5 - outer;
      const dy = y + 0.5 - outer;
      const i = 4 * (y * side + x);
      colours.paint(dx / inner, dy / inner, image.data, i);
      image.data[i + 3] = 255 * Math.min(Math.max(outer - Math.hypot(dx, dy), 0), 1);
    }
  }
  context.putImageData(image, 0, 0);
}

// drawRamp draws the colours of confidence, difference and error, from left to right.
export function drawRamp(canvas, colours) {
  const { width, height } = canvas;
  const context = canvas.getContext('2d');
  const image = context.createImageData(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = 4 * (y * width + x);
      colours.grade(x / (width - 1), image.data, i);
      image.data[i + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
}

// drawHistogram draws bars with the colour of the text.
export function drawHistogram(canvas, counts) {
  const context = canvas.getContext('2d');
  const { width, height } = canvas;
  context.clearRect(0, 0, width, height);
  context.fillStyle = getComputedStyle(canvas).color;
  const highest = Math.max(...counts, 1);
  counts.forEach((n, i) => {
    const bar = Math.ceil((n / highest) * (height - 1));
    context.fillRect((i * width) / counts.length + 0.5, height - bar, width / counts.length - 1, bar);
  });
}
