// Marks over the pictures: arrows, pins, boxes, tracks and the line between two results, on a 2D canvas of their own.

// drawMarks draws everything that marks says over the cells of a view. ratio is the number of canvas pixels per CSS pixel.
export function drawMarks(canvas, view, marks, ratio) {
  canvas.hidden = !marks.arrows && !marks.tracks.length && !marks.box && !marks.pin && !marks.pointer && view.layout !== 'split';
  if (canvas.hidden) return; // an empty canvas over the picture would be blended with it
  const c = canvas.getContext('2d');
  c.clearRect(0, 0, canvas.width, canvas.height);
  c.lineJoin = c.lineCap = 'round';
  view.cells().forEach((cell, index) => {
    c.save();
    c.beginPath();
    c.rect(...cell);
    c.clip();
    if (marks.arrows && index === marks.arrows.pane) drawGrid(c, view, cell, marks.arrows);
    for (const track of marks.tracks) drawTrack(c, view, cell, track, marks.number, ratio);
    if (marks.box) drawBox(c, view, cell, marks.box, ratio);
    if (marks.pin) drawPoint(c, view, cell, marks.pin, ratio, true);
    if (marks.pointer) drawPoint(c, view, cell, marks.pointer, ratio, false);
    c.restore();
  });
  if (view.layout === 'split') {
    const [[x, , w, h]] = view.cells();
    line(c, [[x + view.split * w, 0], [x + view.split * w, h]], '#fff', 2 * ratio);
  }
}

// drawGrid draws an arrow for each cell of a grid, as package visualize does: it starts at the cell's centre and shows the mean
// of the known flow in it. Full saturation gives an arrow of one and a half cells.
function drawGrid(c, view, pane, { field, scale, colours }) {
  const side = Math.max(12, Math.floor(Math.min(field.width, field.height) / 30));
  const zoom = view.zoom();
  const thick = Math.max(1.2, side / 14) * zoom;
  for (let top = 0; top + Math.floor(side / 2) < field.height; top += side) {
    for (let left = 0; left + Math.floor(side / 2) < field.width; left += side) {
      const mean = cellMean(field, left, top, side);
      if (!mean) continue;
      let [u, v] = [mean[0] / scale, mean[1] / scale];
      const length = Math.hypot(u, v);
      const [x, y] = view.place(pane, left + Math.floor(side / 2) - 0.5, top + Math.floor(side / 2) - 0.5);
      if (length < 0.05) {
        c.fillStyle = colours.css(u, v, 0.625); // many cells are still, and the moving ones should stand out
        c.beginPath();
        c.arc(x, y, 0.8 * thick, 0, 2 * Math.PI);
        c.fill();
        continue;
      }
      const colour = colours.css(u, v);
      if (length > 1) [u, v] = [u / length, v / length];
      const reach = 1.5 * side * zoom;
      for (const [style, half] of [
        ['#000', thick + Math.max(zoom, thick / 2)],
        [colour, thick],
      ]) {
        c.fillStyle = style;
        c.fill(arrowShape(x, y, u * reach, v * reach, half));
      }
    }
  }
}

function cellMean(field, left, top, side) {
  let u = 0;
  let v = 0;
  let n = 0;
  // Of a large field not every pixel is read, so that an arrow takes the same time at every size.
  const step = Math.max(1, Math.floor(side / 16));
  for (let y = top; y < Math.min(top + side, field.height); y += step) {
    for (let x = left; x < Math.min(left + side, field.width); x += step) {
      const flow = field.at(x, y);
      if (!flow) continue;
      u += flow[0];
      v += flow[1];
      n++;
    }
  }
  return n ? [u / n, v / n] : null;
}

function arrowShape(x, y, dx, dy, thick) {
  const length = Math.hypot(dx, dy);
  const [ux, uy] = [dx / length, dy / length];
  const head = Math.min(4 * thick, length);
  const tip = length + thick;
  const shape = new Path2D();
  for (const [along, across] of [
    [-thick, -thick],
    [tip - head, -thick],
    [tip - head, -2.4 * thick],
    [tip, 0],
    [tip - head, 2.4 * thick],
    [tip - head, thick],
    [-thick, thick],
  ]) {
    shape.lineTo(x + along * ux - across * uy, y + along * uy + across * ux);
  }
  shape.closePath();
  return shape;
}

// drawPoint draws a pixel and an arrow to where its flow leads.
function drawPoint(c, view, cell, { x, y, flow }, ratio, pinned) {
  const [px, py] = view.place(cell, x, y);
  const colour = pinned ? '#ffd54a' : '#fff';
  if (flow) {
    const [tx, ty] = view.place(cell, x + flow[0], y + flow[1]);
    if (Math.hypot(tx - px, ty - py) > ratio) {
      line(c, [[px, py], [tx, ty]], colour, 1.5 * ratio);
      const angle = Math.atan2(ty - py, tx - px);
      const head = Math.min(9 * ratio, Math.hypot(tx - px, ty - py));
      const side = (turn) => [tx - head * Math.cos(angle + turn), ty - head * Math.sin(angle + turn)];
      line(c, [side(0.45), [tx, ty], side(-0.45)], colour, 1.5 * ratio);
    }
  }
  const half = Math.max(view.zoom() / 2, 3 * ratio);
  line(c, [[px - half, py - half], [px + half, py - half], [px + half, py + half], [px - half, py + half], [px - half, py - half]], colour, ratio);
}

function drawBox(c, view, cell, [left, top, right, bottom], ratio) {
  const [x0, y0] = view.place(cell, left - 0.5, top - 0.5);
  const [x1, y1] = view.place(cell, right - 0.5, bottom - 0.5);
  line(c, [[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]], '#7fd1ff', 1.5 * ratio);
}

function drawTrack(c, view, cell, track, number, ratio) {
  line(c, track.map(({ x, y }) => view.place(cell, x, y)), '#ff8ad8', 1.5 * ratio);
  for (const p of track) {
    const [x, y] = view.place(cell, p.x, p.y);
    c.beginPath();
    c.arc(x, y, (p.number === number ? 5 : 2) * ratio, 0, 2 * Math.PI);
    c.fillStyle = p.number === number ? '#fff' : '#ff8ad8';
    c.fill();
  }
}

// line draws a line with a dark rim, which can be seen on every colour.
function line(c, points, colour, width) {
  c.beginPath();
  for (const [x, y] of points) c.lineTo(x, y);
  for (const [style, w] of [
    ['rgba(0,0,0,.7)', 2.4 * width],
    [colour, width],
  ]) {
    c.strokeStyle = style;
    c.lineWidth = w;
    c.stroke();
  }
}
