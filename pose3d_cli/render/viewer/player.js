// Time: the video's own where there is one, else a clock of ours. Rows are rows of the result.

const START_UP_S = 0.25;

class Player {
  constructor(video, times, { onRow, onState }) {
    Object.assign(this, { video, times, onRow, onState });
    this.row = 0;
    this.speed = 1;
    this.isLooped = true;
    this.isPlaying = false;
    this.hasVideo = false;
    this.offset = 0;  // a clip's first picture may be shown later than 0 of the video
    this.wanted = null;
    this.heard = 0;
    this.shownRow = 0;  // of the picture that the video shows; a seek takes a while to arrive
    const gaps = Array.from(times.subarray(1), (time, row) => time - times[row]).sort((a, b) => a - b);
    this.gap = gaps.length ? gaps[gaps.length >> 1] : 0.04;
    video.addEventListener("seeked", () => this.#seekOn());
    video.addEventListener("seeked", () => setTimeout(() => this.#arrive(), this.#tellsFrames ? 300 : 0));
    video.addEventListener("ended", () => { if (this.isPlaying) this.#end(); });
    requestAnimationFrame((now) => this.#tick(now, now));
  }

  get #tellsFrames() { return "requestVideoFrameCallback" in this.video; }

  get last() { return Math.max(0, this.times.length - 1); }

  /** Go by this video from now on; `offset` is when its first picture is shown. */
  useVideo(offset) {
    this.hasVideo = true;
    this.offset = offset;
    this.video.playbackRate = this.speed;
    this.#listenToFrames();
    this.seek(this.row);
    if (this.isPlaying) this.video.play().catch(() => this.pause());
  }

  loseVideo() {
    this.hasVideo = false;
  }

  /** The row that is shown at a time. */
  rowAt(time) {
    const { times } = this;
    let [low, high] = [0, times.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle] <= time) low = middle + 1;
      else high = middle;
    }
    const before = Math.max(0, low - 1);
    const isNextNearer = low < times.length && times[low] - time < time - times[before];
    return isNextNearer ? low : before;
  }

  seek(row) {
    this.row = Math.max(0, Math.min(this.last, row));
    this.clock = this.times[this.row] ?? 0;
    if (this.hasVideo) {
      this.wanted = this.#inside(this.row);
      if (!this.video.seeking) this.#seekOn();
    }
    this.onRow();
  }

  step(rows) {
    this.pause();
    this.seek(this.row + rows);
  }

  play() {
    if (!this.times.length) return;
    if (this.row >= this.last) this.seek(0);
    this.isPlaying = true;
    this.clock = this.times[this.row];
    if (this.hasVideo) this.video.play().catch(() => this.pause());
    this.onState();
  }

  pause() {
    this.isPlaying = false;
    this.video.pause();
    this.onState();
  }

  toggle() {
    if (this.isPlaying) this.pause();
    else this.play();
  }

  setSpeed(speed) {
    this.speed = speed;
    this.video.playbackRate = speed;
    this.onState();
  }

  /** A time within a frame's span: its very start may fall to the frame before by rounding. */
  #inside(row) {
    const gap = row < this.last ? this.times[row + 1] - this.times[row] : this.gap;
    return this.times[row] + this.offset + Math.min(0.02, 0.3 * gap);
  }

  /** Seek to what was wanted last; what was wanted while another seek ran is skipped. */
  #seekOn() {
    if (this.wanted === null) return;
    const time = this.wanted;
    this.wanted = null;
    this.video.currentTime = time;
  }

  #listenToFrames() {
    const round = (this.round = {});
    if (!this.#tellsFrames) return;
    const hear = (now, frame) => {
      if (this.round !== round) return;
      this.heard = now;
      this.shownRow = this.rowAt(frame.mediaTime - this.offset);
      this.onRow();
      this.#videoAt(frame.mediaTime);
      this.video.requestVideoFrameCallback(hear);
    };
    this.video.requestVideoFrameCallback(hear);
  }

  /** The picture that was sought must be there by now, even if nobody has told of it. */
  #arrive() {
    if (this.video.seeking || this.wanted !== null || this.isPlaying) return;
    this.shownRow = this.row;
    this.onRow();
  }

  /** Show the row of what the video shows. */
  #videoAt(time) {
    if (!this.isPlaying || this.video.seeking || this.wanted !== null) return;
    const clip = time - this.offset;
    if (clip > this.times[this.last] + 0.6 * this.gap) {
      this.#end();
      return;
    }
    const row = this.rowAt(clip);
    if (row === this.row) return;
    this.#go(row);
  }

  #go(row) {
    this.row = row;
    this.onRow();
  }

  #end() {
    if (this.isLooped) {
      this.seek(0);
      if (this.hasVideo) this.video.play().catch(() => this.pause());
    } else {
      this.pause();
      this.seek(this.last);
    }
  }

  #tick(now, before) {
    if (this.isPlaying && this.hasVideo) {
      // Browsers without frame callbacks, and those that hold them back, tell the time at least.
      if (now - this.heard > 250) {
        this.#videoAt(this.video.currentTime);
        this.shownRow = this.row;
      }
    } else if (this.isPlaying) {
      this.clock += Math.min(START_UP_S, (now - before) / 1000) * this.speed;
      if (this.clock > this.times[this.last] + this.gap) this.#end();
      else if (this.rowAt(this.clock) !== this.row) this.#go(this.rowAt(this.clock));
    }
    requestAnimationFrame((next) => this.#tick(next, now));
  }
}
