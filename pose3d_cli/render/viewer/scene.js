// The 3D scene: floor, camera and people, drawn from the far to the near.

const BONE_M = 0.045;
const CAMERA_M = 0.35;

/** Limits widened to whole squares of the floor's grid. */
function wholeSquares({ low, high, grid }) {
  const [first, last] = [Math.floor, Math.ceil].map((round, end) => (axis) => (
    round([low, high][end][axis] / grid) * grid
  ));
  return { low: [first(0), first(1), low[2]], high: [last(0), last(1), high[2]], grid };
}

class Scene {
  constructor(canvas, clip, redraw) {
    this.clip = clip;
    this.view = new View3D(wholeSquares(clip.limits));
    this.sheet = new Sheet(canvas, redraw);
    this.spots = [];
    this.#listen(canvas, redraw);
  }

  /** Draw those who are shown, `present` as [person, joints]; `marked` is a person and a joint. */
  draw(present, marked) {
    const { sheet, view } = this;
    const colour = colours();
    view.resize(sheet.width, sheet.height);
    sheet.clear();
    this.spots = [];
    this.#floor(colour);
    this.#axes(colour);
    for (const [, { xyz }] of present) this.#shadow(xyz, colour);
    const strokes = [this.#camera(colour)];
    for (const [person, joints] of present) strokes.push(...this.#strokes(person, joints, colour));
    strokes.sort((a, b) => b.ahead - a.ahead);
    for (const stroke of strokes) stroke.draw();
    if (this.clip.people.length > 1) this.#labels(present, colour);
    const spot = marked && this.spots.find((s) => s.person === marked.person && s.joint === marked.joint);
    if (spot) sheet.ring([spot.x, spot.y], 9, colour.ink, 2);
  }

  #floor(colour) {
    const { low: [x0, y0, z], high: [x1, y1], grid } = this.view.limits;
    const ground = [[x0, y0, z], [x1, y0, z], [x1, y1, z], [x0, y1, z]];
    const pen = this.sheet.pen;
    const outline = ground.map((corner) => this.view.project(corner));
    if (outline.every(Boolean)) {
      pen.fillStyle = colour.floor;
      pen.beginPath();
      outline.forEach((at) => pen.lineTo(at.x, at.y));
      pen.fill();
    }
    const draw = (a, b) => {
      const line = this.view.projectLine(a, b);
      if (line) this.sheet.line(line[0], line[1], colour.grid, 1);
    };
    for (let x = x0; x <= x1 + 1e-6; x += grid) draw([x, y0, z], [x, y1, z]);
    for (let y = y0; y <= y1 + 1e-6; y += grid) draw([x0, y, z], [x1, y, z]);
    this.corner = [x0, y0, z];
  }

  /** The three directions, at a corner of the floor, as long as a square of the grid. */
  #axes(colour) {
    const { grid } = this.clip.limits;
    const names = ["x", "y", "z"];
    names.forEach((name, axis) => {
      const tip = this.corner.map((value, place) => value + (place === axis ? grid : 0));
      const line = this.view.projectLine(this.corner, tip);
      if (!line) return;
      this.sheet.line(line[0], line[1], colour.ink, 2, 0.75);
      const past = line[1].map((value, place) => value + (value - line[0][place]) * 0.08);
      const align = past[0] < line[0][0] - 4 ? "right" : "left";
      this.sheet.text(name, [past[0] + (align === "left" ? 4 : -4), past[1] - 3], colour.soft, { align });
    });
    this.sheet.text(`a square is ${grid} m`, [12, this.sheet.height - 12], colour.soft);
  }

  #shadow(xyz, colour) {
    const z = this.clip.limits.low[2];
    for (const [parent, joint] of this.clip.bones) {
      const ends = [parent, joint].map((j) => [xyz[3 * j], xyz[3 * j + 1], z]);
      if (!ends.flat().every(Number.isFinite)) continue;
      const line = this.view.projectLine(ends[0], ends[1]);
      const at = this.view.project(ends[0]);
      if (line && at) this.sheet.line(line[0], line[1], colour.shadow, Math.max(2, BONE_M * at.scale), 1);
    }
  }

  #camera(colour) {
    const { at, corners: rays } = this.clip.camera;
    const ends = rays.map((ray) => ray.map((value, axis) => at[axis] + CAMERA_M * value));
    const place = this.view.project(at);
    return {
      ahead: place ? place.ahead : -1,
      draw: () => {
        ends.forEach((end, side) => {
          for (const other of [at, ends[(side + 1) % 4]]) {
            const line = this.view.projectLine(end, other);
            if (line) this.sheet.line(line[0], line[1], colour.soft, 1.5);
          }
        });
        if (place) this.sheet.text("camera", [place.x, place.y + 26], colour.soft, { align: "center" });
      },
    };
  }

  /** Bones, joints and head of a person, each with how far away it is. */
  #strokes(person, { xyz, score }, colour) {
    const { clip, sheet } = this;
    const at = clip.joints.map((_, joint) => {
      const place = this.view.project([xyz[3 * joint], xyz[3 * joint + 1], xyz[3 * joint + 2]]);
      return place && Number.isFinite(place.x) ? place : null;
    });
    const alpha = (...joints) => (joints.every((j) => score[j] >= clip.faintBelow) ? 1 : 0.45);
    const strokes = [];
    for (const [parent, joint] of clip.bones) {
      const [a, b] = [at[parent], at[joint]];
      if (!a || !b) continue;
      const width = Math.min(16, Math.max(2.5, BONE_M * (a.scale + b.scale) / 2));
      const draw = () => {
        const ends = [[a.x, a.y], [b.x, b.y]];
        sheet.line(...ends, colour.scene, width + 2.5, 1, "butt");  // a rim that spares the joints
        sheet.line(...ends, colour[clip.sides[joint]], width, alpha(parent, joint));
      };
      strokes.push({ ahead: (a.ahead + b.ahead) / 2, draw });
    }
    at.forEach((place, joint) => {
      if (place) this.spots.push({ x: place.x, y: place.y, person, joint });
    });
    const [nose, head] = [clip.joints.indexOf("nose"), clip.joints.indexOf("head")];
    if (at[nose] && at[head]) strokes.push(this.#head(xyz, nose, head, colour[`person-${person.colour}`], alpha(nose, head)));
    return strokes;
  }

  #head(xyz, nose, head, colour, alpha) {
    const [face, crown] = [nose, head].map((j) => [xyz[3 * j], xyz[3 * j + 1], xyz[3 * j + 2]]);
    const middle = this.view.project(face.map((value, axis) => (value + crown[axis]) / 2));
    const radius = Math.hypot(...face.map((value, axis) => crown[axis] - value)) * this.clip.headShare;
    return {
      ahead: middle.ahead - 0.05,
      draw: () => {
        this.sheet.disc([middle.x, middle.y], radius * middle.scale, colour, alpha);
        this.sheet.ring([middle.x, middle.y], radius * middle.scale + 1, colours().scene, 1.5);
      },
    };
  }

  #labels(present, colour) {
    for (const [person] of present) {
      const own = this.spots.filter((spot) => spot.person === person);
      if (!own.length) continue;
      const top = own.reduce((a, b) => (b.y < a.y ? b : a));
      this.sheet.label(present.length > 4 ? String(person.id) : person.name, [top.x, top.y - 14], colour[`label-${person.colour}`]);
    }
  }

  /** Turn by dragging, move by dragging with Shift or two fingers, zoom by wheel or pinch. */
  #listen(canvas, redraw) {
    const fingers = new Map();
    const middle = () => {
      const all = [...fingers.values()];
      const sum = (name) => all.reduce((total, finger) => total + finger[name], 0) / all.length;
      const wide = all.length > 1 ? Math.hypot(all[0].x - all[1].x, all[0].y - all[1].y) : 0;
      return { x: sum("x"), y: sum("y"), wide };
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!fingers.has(event.pointerId)) return;
      const before = middle();
      fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      const after = middle();
      const [dx, dy] = [after.x - before.x, after.y - before.y];
      if (fingers.size > 1 || event.shiftKey || event.buttons & 2) this.view.shift(dx, dy);
      else this.view.turn(dx * 0.008, dy * 0.008);
      if (before.wide && after.wide) this.view.zoom(before.wide / after.wide);
      redraw();
    });
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, (event) => fingers.delete(event.pointerId));
    }
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.view.zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) * 0.003));
      redraw();
    }, { passive: false });
  }
}
