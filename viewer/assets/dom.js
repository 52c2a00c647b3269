// Short names for what the page's elements are used for.

export const byId = (id) => document.getElementById(id);

// say shows a message over the picture; an empty one removes it.
export function say(text) {
  byId('message').textContent = text;
}

// ratio is the number of canvas pixels per CSS pixel.
export function ratio() {
  return devicePixelRatio || 1;
}

// tableRow returns a row of a table with a heading.
export function tableRow(name, ...values) {
  const row = document.createElement('tr');
  row.append(Object.assign(document.createElement('th'), { scope: 'row', textContent: name }));
  row.append(...values.map((value) => Object.assign(document.createElement('td'), { textContent: value })));
  return row;
}
