// The 2D keypoints on the video.

const RIM = "#ffffff";

class Overlay {
  constructor(canvas, clip, redraw) {
    this.clip = clip;
    this.sheet = new Sheet(canvas, redraw);
    this.spots = [];
  }

  /** Draw those who are shown; `hasGround` is whether a picture of the video lies below. */
  draw(present, marked, hasGround) {
    const { sheet, clip } = this;
    const colour = colours();
    const scale = sheet.width / clip.size[0];
    sheet.clear();
    this.spots = [];
    for (const [person, { px, score }] of present) {
      const at = clip.joints.map((_, j) => [px[2 * j] * scale, px[2 * j + 1] * scale]);
      this.#person(person, at, score, colour, hasGround ? RIM : colour.scene);
      at.forEach(([x, y], joint) => {
        if (Number.isFinite(x)) this.spots.push({ x, y, person, joint });
      });
    }
    if (clip.people.length > 1) this.#labels(present, colour);
    const spot = marked && this.spots.find((s) => s.person === marked.person && s.joint === marked.joint);
    if (spot) {
      sheet.ring([spot.x, spot.y], 9, "#000", 4, 0.5);
      sheet.ring([spot.x, spot.y], 9, "#fff", 2);
    }
  }

  #person(person, at, score, colour, rim) {
    const { sheet, clip } = this;
    const width = Math.max(2.5, Math.min(5, sheet.width / 180));
    const seen = (joint) => Number.isFinite(at[joint][0]);
    const sure = (joint) => score[joint] >= clip.faintBelow;
    const bones = clip.bones.filter((bone) => bone.every(seen));
    for (const bone of bones.filter((one) => one.every(sure))) {
      sheet.line(at[bone[0]], at[bone[1]], rim, width + 2);
    }
    for (const bone of bones) {
      const isSure = bone.every(sure);
      const tint = colour[`on-video-${clip.sides[bone[1]]}`];
      sheet.line(at[bone[0]], at[bone[1]], tint, isSure ? width : 2, isSure ? 1 : 0.55);
    }
    const [nose, head] = [clip.joints.indexOf("nose"), clip.joints.indexOf("head")];
    if (nose < 0 || head < 0 || !seen(nose) || !seen(head)) return;
    const [face, crown] = [at[nose], at[head]];
    const radius = Math.hypot(crown[0] - face[0], crown[1] - face[1]) * clip.headShare;
    const middle = [(face[0] + crown[0]) / 2, (face[1] + crown[1]) / 2];
    sheet.ring(middle, radius, rim, 4);
    sheet.ring(middle, radius, colour[`person-${person.colour}`], 2.5);
  }

  #labels(present, colour) {
    for (const [person] of present) {
      const own = this.spots.filter((spot) => spot.person === person);
      if (!own.length) continue;
      const top = own.reduce((a, b) => (b.y < a.y ? b : a));
      this.sheet.label(present.length > 4 ? String(person.id) : person.name, [top.x, top.y - 12], colour[`label-${person.colour}`]);
    }
  }
}
