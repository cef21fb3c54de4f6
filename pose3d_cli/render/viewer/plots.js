// Curves over time of one person: heights and angles, with the moment that is shown.

const ROOM = { left: 46, right: 12, top: 10, bottom: 22 };

/** What is drawn: name, unit, and for each curve a side and how it comes from a person's joints. */
function plotKinds(clip) {
  const index = (name) => clip.joints.indexOf(name);
  const floor = clip.limits.low[2];
  const height = (name) => ({ xyz }) => 100 * (xyz[3 * index(name) + 2] - floor);
  const bend = (...names) => ({ xyz }) => bendOf(xyz, names.map(index));
  const sides = (of) => ["left", "right"].map((side) => [side, side, of(side)]);
  return [
    {
      name: "Height over the floor",
      words: "of the pelvis and of the ankle joints",
      unit: "cm",
      curves: [
        ["middle", "pelvis", height("pelvis")],
        ...["left", "right"].map((side) => [side, `${side} ankle`, height(`${side}_ankle`)]),
      ],
      needs: ["pelvis", "left_ankle", "right_ankle"],
    },
    {
      name: "Knee flexion",
      words: "0° is a straight leg; the angle between thigh and shank",
      unit: "°",
      curves: sides((side) => bend(`${side}_hip`, `${side}_knee`, `${side}_ankle`)),
      needs: ["left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"],
    },
    {
      name: "Elbow flexion",
      words: "0° is a straight arm; the angle between upper arm and forearm",
      unit: "°",
      curves: sides((side) => bend(`${side}_shoulder`, `${side}_elbow`, `${side}_wrist`)),
      needs: ["left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist"],
    },
  ].filter((kind) => kind.needs.every((name) => index(name) >= 0));
}

/** Degrees by which two bones that meet in the middle joint are bent; 0 is straight. */
function bendOf(xyz, [above, middle, below]) {
  const upper = [0, 1, 2].map((axis) => xyz[3 * middle + axis] - xyz[3 * above + axis]);
  const lower = [0, 1, 2].map((axis) => xyz[3 * below + axis] - xyz[3 * middle + axis]);
  const cosine = dot(upper, lower) / Math.hypot(...upper) / Math.hypot(...lower);
  return Math.acos(Math.max(-1, Math.min(1, cosine))) * 180 / Math.PI;
}

/** Round numbers that divide a span into at most `n` parts. */
function roundTicks(low, high, n) {
  const rough = (high - low) / n || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-6; k++) ticks.push(k * step);
  return ticks;
}

/** A whole number with its unit; none before a degree sign. */
function withUnit(value, unit) {
  if (!Number.isFinite(value)) return "–";
  return `${digits(value, 0)}${unit === "°" ? "" : " "}${unit}`;
}

class Plot {
  constructor(canvas, clip, kind, redraw) {
    [this.clip, this.kind] = [clip, kind];
    this.still = document.createElement("canvas");
    this.values = [];
    this.sheet = new Sheet(canvas, () => { this.drawStill(); redraw(); });
  }

  /** Take the curves of a person, or nobody's. */
  take(person) {
    const { clip, kind } = this;
    this.values = kind.curves.map(() => new Float32Array(clip.times.length).fill(NaN));
    for (const row of person ? person.rows : []) {
      const joints = person.at(row, clip.step);
      kind.curves.forEach(([, , of], n) => { this.values[n][row] = of(joints); });
    }
    const found = this.values.flatMap((curve) => [...curve.filter(Number.isFinite)]);
    const [low, high] = found.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);
    this.range = found.length ? [Math.min(0, low), Math.max(high * 1.06, 10)] : [0, 100];
    this.drawStill();
  }

  x(time) {
    const { times } = this.clip;
    const span = times[times.length - 1] - times[0] || 1;
    return ROOM.left + (time - times[0]) / span * (this.sheet.width - ROOM.left - ROOM.right);
  }

  y(value) {
    const [low, high] = this.range;
    const room = this.sheet.height - ROOM.top - ROOM.bottom;
    return ROOM.top + (high - value) / (high - low) * room;
  }

  /** Time at a pixel. */
  timeAt(x) {
    const { times } = this.clip;
    const share = (x - ROOM.left) / (this.sheet.width - ROOM.left - ROOM.right);
    return times[0] + Math.max(0, Math.min(1, share)) * (times[times.length - 1] - times[0]);
  }

  /** Draw all that does not change from frame to frame, once. */
  drawStill() {
    if (!this.range || !this.sheet.width) return;
    const { sheet } = this;
    const colour = colours();
    sheet.clear();
    this.#grid(colour);
    this.kind.curves.forEach(([side], n) => this.#curve(this.values[n], colour[side]));
    [this.still.width, this.still.height] = [sheet.canvas.width, sheet.canvas.height];
    if (this.still.width && this.still.height) this.still.getContext("2d").drawImage(sheet.canvas, 0, 0);
  }

  #grid(colour) {
    const { sheet, clip } = this;
    const bottom = sheet.height - ROOM.bottom;
    for (const value of roundTicks(...this.range, 5)) {
      const y = Math.round(this.y(value)) + 0.5;
      sheet.line([ROOM.left, y], [sheet.width - ROOM.right, y], colour.grid, 1, value ? 0.7 : 1);
      sheet.text(withUnit(value, this.kind.unit), [ROOM.left - 7, y], colour.soft, { align: "right", base: "middle", size: 11 });
    }
    const ends = [clip.times[0], clip.times[clip.times.length - 1]];
    for (const time of roundTicks(...ends, Math.max(2, sheet.width / 75))) {
      const x = this.x(time);
      sheet.line([x, bottom], [x, bottom + 4], colour.grid, 1);
      sheet.text(`${+time.toFixed(3)} s`, [x, bottom + 16], colour.soft, { align: "center", size: 11 });
    }
  }

  #curve(values, tint) {
    const pen = this.sheet.pen;
    [pen.strokeStyle, pen.lineWidth, pen.lineJoin] = [tint, 1.8, "round"];
    pen.beginPath();
    let last = -Infinity;
    values.forEach((value, row) => {
      if (!Number.isFinite(value)) return;
      const at = [this.x(this.clip.times[row]), this.y(value)];
      // A row alone, between gaps, is a dot: a line of no length with round ends.
      if (row - last > this.clip.step) pen.moveTo(at[0] - 0.01, at[1]);
      pen.lineTo(...at);
      last = row;
    });
    pen.stroke();
  }

  /** Draw the moment that is shown, and return the values there. */
  draw(row, joints) {
    const { sheet } = this;
    const colour = colours();
    sheet.clear();
    if (this.still.width && this.still.height) {
      sheet.pen.drawImage(this.still, 0, 0, sheet.width, sheet.height);
    }
    if (!this.clip.times.length) return [];
    const x = this.x(this.clip.times[row]);
    sheet.line([x, ROOM.top - 4], [x, sheet.height - ROOM.bottom], colour.ink, 1.5);
    return this.kind.curves.map(([side, , of]) => {
      const value = joints ? of(joints) : NaN;
      if (Number.isFinite(value)) {
        sheet.disc([x, this.y(value)], 5, colour.card);
        sheet.disc([x, this.y(value)], 3.5, colour[side]);
      }
      return value;
    });
  }
}
