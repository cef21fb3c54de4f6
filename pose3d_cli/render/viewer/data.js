// Numbers out of text: the other side of pack.py.

const GAP = -32768;

/** Bytes of base64 text, inflated. */
async function bytesOf(text) {
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Byte planes put together into numbers, as an array of the given type. */
function joined(bytes, Type) {
  const size = Type.BYTES_PER_ELEMENT;
  const n = bytes.length / size;
  const mixed = new Uint8Array(bytes.length);
  for (let plane = 0; plane < size; plane++) {
    for (let place = 0; place < n; place++) mixed[place * size + plane] = bytes[plane * n + place];
  }
  return new Type(mixed.buffer);
}

/** Whole numbers of 16 bits, row by row. */
async function unpackWhole(text, rows, channels, order) {
  const zigzag = joined(await bytesOf(text), Uint16Array);
  const values = new Int16Array(rows * channels);
  for (let channel = 0; channel < channels; channel++) {
    const series = new Int16Array(rows);  // wraps round as the packing did
    for (let row = 0; row < rows; row++) {
      const z = zigzag[channel * rows + row];
      series[row] = (z >> 1) ^ -(z & 1);
    }
    for (let pass = 0; pass < order; pass++) {
      for (let row = 1; row < rows; row++) series[row] += series[row - 1];
    }
    for (let row = 0; row < rows; row++) values[row * channels + channel] = series[row];
  }
  return values;
}

/** Points in their own unit, NaN in gaps: Float32Array of rows x joints x channels. */
async function unpackPoints(packed, rows, parents) {
  const channels = packed.base.length;
  const joints = parents.length;
  const whole = await unpackWhole(packed.data, rows, joints * channels, packed.order);
  for (let joint = 0; joint < joints; joint++) {
    const parent = parents[joint];
    if (parent < 0 || parent >= joint) continue;
    for (let row = 0; row < rows; row++) {
      for (let c = 0; c < channels; c++) {
        const at = row * joints * channels;
        whole[at + joint * channels + c] += whole[at + parent * channels + c];
      }
    }
  }
  const points = new Float32Array(whole.length);
  for (let place = 0; place < whole.length; place++) {
    const value = whole[place];
    points[place] = value === GAP ? NaN : packed.base[place % channels] + value * packed.unit;
  }
  return points;
}

/** Times in seconds, to the last bit. */
async function unpackTimes(text) {
  const zigzag = joined(await bytesOf(text), BigUint64Array);
  const times = new Float64Array(zigzag.length);
  const bits = new BigInt64Array(times.buffer);
  const foretold = new Float64Array(1);
  const foretoldBits = new BigInt64Array(foretold.buffer);
  for (let row = 0; row < times.length; row++) {
    foretold[0] = row < 2 ? 0 : 2 * times[row - 1] - times[row - 2];
    const z = zigzag[row];
    bits[row] = foretoldBits[0] + ((z >> 1n) ^ -(z & 1n));
  }
  return times;
}

/** Rising whole numbers. */
async function unpackRising(text) {
  const values = new Int32Array(joined(await bytesOf(text), Uint32Array));
  for (let place = 1; place < values.length; place++) values[place] += values[place - 1];
  return values;
}

/** One person: where they are and how sure that is, at any row of the clip's time axis. */
class Person {
  constructor(told, rows, xyz, px, score, joints) {
    this.id = told.id;
    this.name = `person ${told.id}`;
    this.colour = told.colour;
    this.rowsInAll = told.n_all;
    this.rows = rows;
    this.xyz = xyz;
    this.px = px;
    this.score = score;
    this.joints = joints;
  }

  /** Place among the own rows at or before a row of the clip, -1 if there is none. */
  placeOf(row) {
    let [low, high] = [0, this.rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.rows[middle] <= row) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Joints at a row, in straight lines between rows that are kept; null where absent. */
  at(row, step) {
    const place = this.placeOf(row);
    if (place < 0) return null;
    const [before, after] = [this.rows[place], this.rows[place + 1]];
    if (before === row) return this.#mixed(place, place, 0);
    if (after === undefined || after - before > step) return null;
    return this.#mixed(place, place + 1, (row - before) / (after - before));
  }

  #mixed(a, b, share) {
    const mix = (values, channels) => {
      const size = this.joints * channels;
      const first = values.subarray(a * size, (a + 1) * size);
      if (share === 0) return first;
      return first.map((value, place) => value + share * (values[b * size + place] - value));
    };
    return { xyz: mix(this.xyz, 3), px: mix(this.px, 2), score: mix(this.score, 1) };
  }
}

/** Everything the page shows. */
async function readClip(told) {
  const joints = told.joints.length;
  const person = async (one) => new Person(
    one,
    await unpackRising(one.rows),
    await unpackPoints(one.xyz, one.n, told.parents),
    await unpackPoints(one.px, one.n, told.parents),
    Float32Array.from(await unpackWhole(one.score, one.n, joints, 1), (s) => s * one.scoreUnit),
    joints,
  );
  return {
    ...told,
    times: await unpackTimes(told.times),
    frames: await unpackRising(told.frames),
    people: await Promise.all(told.people.map(person)),
    bones: told.parents.map((parent, joint) => [parent, joint]).filter(([parent]) => parent >= 0),
    sides: told.joints.map((name) => /^(left|right)_/.exec(name)?.[1] ?? "middle"),
  };
}
