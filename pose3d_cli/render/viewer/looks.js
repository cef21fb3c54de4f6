// Colours of the page, and canvases as sharp as the screen.

/** Colours as they are now, light or dark, by the name of their CSS variable. */
function colours() {
  const style = getComputedStyle(document.documentElement);
  return new Proxy({}, { get: (_, name) => style.getPropertyValue(`--${name}`).trim() });
}

/** A canvas that keeps the size of its box, and draws itself anew when that changes. */
class Sheet {
  constructor(canvas, draw) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    this.width = this.height = 0;
    new ResizeObserver(() => { if (this.fit()) draw(); }).observe(canvas);
    this.fit();
  }

  /** Take the size of the box; whether it was another one. */
  fit() {
    const box = this.canvas.getBoundingClientRect();
    const dots = window.devicePixelRatio || 1;
    const size = [Math.round(box.width * dots), Math.round(box.height * dots)];
    if (size[0] === this.canvas.width && size[1] === this.canvas.height && this.width) return false;
    [this.canvas.width, this.canvas.height] = size;
    [this.width, this.height] = [box.width, box.height];
    this.pen.setTransform(dots, 0, 0, dots, 0, 0);
    return true;
  }

  clear() {
    this.pen.clearRect(0, 0, this.width, this.height);
  }

  line(a, b, colour, width, alpha = 1, cap = "round") {
    const pen = this.pen;
    pen.globalAlpha = alpha;
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.lineCap = cap;
    pen.beginPath();
    pen.moveTo(a[0], a[1]);
    pen.lineTo(b[0], b[1]);
    pen.stroke();
    pen.globalAlpha = 1;
  }

  disc(at, radius, colour, alpha = 1) {
    const pen = this.pen;
    pen.globalAlpha = alpha;
    pen.fillStyle = colour;
    pen.beginPath();
    pen.arc(at[0], at[1], radius, 0, 2 * Math.PI);
    pen.fill();
    pen.globalAlpha = 1;
  }

  ring(at, radius, colour, width, alpha = 1) {
    const pen = this.pen;
    pen.globalAlpha = alpha;
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.beginPath();
    pen.arc(at[0], at[1], radius, 0, 2 * Math.PI);
    pen.stroke();
    pen.globalAlpha = 1;
  }

  text(words, at, colour, { align = "left", base = "alphabetic", size = 12, weight = 400 } = {}) {
    const pen = this.pen;
    pen.font = `${weight} ${size}px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif`;
    pen.textAlign = align;
    pen.textBaseline = base;
    pen.fillStyle = colour;
    pen.fillText(words, at[0], at[1]);
  }

  /** A label on a ground of its own, kept inside the sheet. */
  label(words, at, ground) {
    const pen = this.pen;
    const size = this.width < 420 ? 10 : 12;
    pen.font = `600 ${size}px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif`;
    const width = pen.measureText(words).width + 12;
    const left = Math.min(Math.max(at[0] - width / 2, 2), Math.max(2, this.width - width - 2));
    const height = size + 8;
    const top = Math.min(Math.max(at[1] - height, 2), Math.max(2, this.height - height - 2));
    pen.fillStyle = ground;
    pen.beginPath();
    pen.roundRect(left, top, width, height, 5);
    pen.fill();
    this.text(words, [left + 6, top + size + 2], "#fff", { weight: 600, size });
  }
}

/** A joint's name in plain words. */
const plain = (name) => name.replaceAll("_", " ");

/** A number with a true minus, so many digits behind the point. */
const digits = (value, n) => (Number.isFinite(value) ? value.toFixed(n).replace("-", "−") : "–");

/** Which of some joints on a sheet is nearest to a point, if one is near; else null. */
function nearest(spots, x, y, reach = 16) {
  let best = null;
  let least = reach;
  for (const spot of spots) {
    const far = Math.hypot(spot.x - x, spot.y - y);
    if (far < least) [best, least] = [spot, far];
  }
  return best;
}
