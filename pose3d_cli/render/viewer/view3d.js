// Where whoever looks at the 3D scene stands: always upright, round a point, at a distance.

const FIRST_LOOK = { azimuth: -62, elevation: 12 };
const LOOKS = {
  start: FIRST_LOOK,
  camera: { azimuth: -90, elevation: 4 },
  side: { azimuth: 0, elevation: 4 },
  top: { azimuth: -90, elevation: 89 },
};
const FIELD_OF_VIEW = 34 * Math.PI / 180;
const NEAR_M = 0.05;

class View3D {
  constructor(limits) {
    this.limits = limits;
    this.width = this.height = 1;
    this.take("start");
  }

  /** One of the named looks, as near as shows everything. */
  take(name) {
    this.azimuth = LOOKS[name].azimuth * Math.PI / 180;
    this.elevation = LOOKS[name].elevation * Math.PI / 180;
    this.target = this.limits.low.map((low, axis) => (low + this.limits.high[axis]) / 2);
    this.isFitted = true;
    this.#fit();
  }

  resize(width, height) {
    if (width === this.width && height === this.height) return;
    [this.width, this.height] = [width, height];
    if (this.isFitted) this.#fit();
    else this.#aim();
  }

  turn(dx, dy) {
    this.azimuth -= dx;
    this.elevation = Math.min(Math.PI / 2 - 0.01, Math.max(-0.35, this.elevation + dy));
    this.#aim();
  }

  zoom(factor) {
    this.isFitted = false;
    this.distance = Math.min(80, Math.max(0.4, this.distance * factor));
    this.#aim();
  }

  /** Move the point that is looked at, by pixels of the picture. */
  shift(dx, dy) {
    this.isFitted = false;
    const metres = this.distance / this.focal;
    this.target = this.target.map(
      (value, axis) => value - metres * (dx * this.right[axis] - dy * this.up[axis]),
    );
    this.#aim();
  }

  /** Picture right, picture down and distance ahead of a point of the world. */
  seen(point) {
    const way = [point[0] - this.eye[0], point[1] - this.eye[1], point[2] - this.eye[2]];
    return [dot(way, this.right), -dot(way, this.up), dot(way, this.ahead)];
  }

  /** Pixels, and pixels a metre there; null behind the eye. */
  project(point) {
    const [right, down, ahead] = this.seen(point);
    if (!(ahead > NEAR_M)) return null;
    const scale = this.focal / ahead;
    return { x: this.width / 2 + right * scale, y: this.height / 2 + down * scale, scale, ahead };
  }

  /** Both ends of a line in pixels, cut off where it comes too near; null if nothing is left. */
  projectLine(a, b) {
    const ends = [this.seen(a), this.seen(b)];
    if (ends[0][2] < NEAR_M && ends[1][2] < NEAR_M) return null;
    for (const [place, end] of ends.entries()) {
      if (end[2] >= NEAR_M) continue;
      const other = ends[1 - place];
      const share = (NEAR_M - end[2]) / (other[2] - end[2]);
      ends[place] = end.map((value, axis) => value + share * (other[axis] - value));
    }
    return ends.map(([right, down, ahead]) => [
      this.width / 2 + right * this.focal / ahead,
      this.height / 2 + down * this.focal / ahead,
    ]);
  }

  #fit() {
    let [near, far] = [0.2, 200];
    for (let pass = 0; pass < 30; pass++) {
      this.distance = Math.sqrt(near * far);
      this.#aim();
      if (this.#showsAll()) far = this.distance;
      else near = this.distance;
    }
    this.distance = far;
    this.#aim();
  }

  #showsAll() {
    const margin = 22;
    return corners(this.limits).every((corner) => {
      const at = this.project(corner);
      return at && at.x >= margin && at.x <= this.width - margin
        && at.y >= margin && at.y <= this.height - margin;
    });
  }

  #aim() {
    const [sinA, cosA] = [Math.sin(this.azimuth), Math.cos(this.azimuth)];
    const [sinE, cosE] = [Math.sin(this.elevation), Math.cos(this.elevation)];
    const back = [cosE * cosA, cosE * sinA, sinE];
    this.focal = Math.min(this.height, 1.2 * this.width) / 2 / Math.tan(FIELD_OF_VIEW / 2);
    this.ahead = back.map((value) => -value);
    this.right = [-sinA, cosA, 0];
    this.up = [-sinE * cosA, -sinE * sinA, cosE];
    this.eye = this.target.map((value, axis) => value + this.distance * back[axis]);
  }
}

const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

function corners({ low, high }) {
  const ends = [low, high];
  return [0, 1, 2, 3, 4, 5, 6, 7].map((n) => [ends[n & 1][0], ends[(n >> 1) & 1][1], ends[n >> 2][2]]);
}
