// Everything put together: one row of the result is shown, in all pictures at once.

const SPEEDS = [0.1, 0.25, 0.5, 1, 1.5, 2];

/** The video's panel: plays the file beside the page, or one that is chosen. */
function openVideo(clip, player, redraw) {
  const video = part("video");
  let name = clip.video?.name ?? "";
  let first = null;
  const fail = (words) => {
    player.loseVideo();
    part("stage-2d").classList.remove("has-video");
    part("video-words").textContent = words;
    part("no-video").hidden = false;
    redraw();
  };
  const opened = () => {
    if (!video.videoWidth) {
      fail(`This browser cannot show the pictures of ${name}. The 2D keypoints stand on an empty picture.`);
      return;
    }
    part("no-video").hidden = true;
    part("stage-2d").classList.add("has-video");
    first.then((offset) => { player.useVideo(offset); redraw(); });
    warnOfOther(clip, video);
  };
  const load = (url) => {
    first = firstPicture(video);
    video.src = url;
    video.load();
  };
  video.addEventListener("loadeddata", opened);
  video.addEventListener("error", () => fail(
    `${name} cannot be shown: it is not where it was, or of a format that this browser does not `
    + "play (H.264 in MP4 plays everywhere). The 2D keypoints stand on an empty picture.",
  ));
  part("choose").addEventListener("change", (event) => {
    const file = event.target.files[0];
    if (!file) return;
    name = file.name;
    load(URL.createObjectURL(file));
  });
  if (clip.video) load(clip.video.url);
  else fail("The video is not known. The 2D keypoints stand on an empty picture.");
}

/** When the first picture of a video about to be loaded is shown: later than 0 in some files. */
function firstPicture(video) {
  return new Promise((tell) => {
    if (!("requestVideoFrameCallback" in video)) tell(0);
    else video.requestVideoFrameCallback((_, frame) => tell(frame.mediaTime));
    // Where nobody looks, in another tab say, no picture is shown and none is told of.
    video.addEventListener("loadeddata", () => setTimeout(tell, 1000, 0), { once: true });
  });
}

/** Say so if the video that is shown can hardly be the one that was lifted. */
function warnOfOther(clip, video) {
  const shape = video.videoWidth / video.videoHeight / (clip.size[0] / clip.size[1]);
  const isShort = video.duration < clip.times[clip.times.length - 1] - 0.5;
  const isOther = Math.abs(shape - 1) > 0.03 || isShort;
  part("other-video").hidden = !isOther;
}

function listenToKeys(player, { togglePerson, view, redraw }) {
  const turn = 5 * Math.PI / 180;
  const keys = {
    " ": () => player.toggle(), k: () => player.toggle(),
    ArrowLeft: () => player.step(-1), ArrowRight: () => player.step(1),
    "Shift+ArrowLeft": () => player.step(-10), "Shift+ArrowRight": () => player.step(10),
    ",": () => player.step(-1), ".": () => player.step(1),
    Home: () => player.seek(0), End: () => player.seek(player.last),
    ArrowUp: () => changeSpeed(player, 1), ArrowDown: () => changeSpeed(player, -1),
    r: () => view.take("start"), a: () => view.turn(-turn, 0), d: () => view.turn(turn, 0),
    w: () => view.turn(0, turn), s: () => view.turn(0, -turn),
    "+": () => view.zoom(1 / 1.15), "-": () => view.zoom(1.15),
    l: () => part("loop").click(), t: () => part("theme").click(), "?": () => part("help-button").click(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || part("help").open) return;
    const inField = event.target.closest?.("select, summary, input[type=file]");
    const isPress = event.key === " " && event.target.closest?.("button, label");
    if (inField || isPress) return;
    const isArrow = event.key.startsWith("Arrow");
    const name = event.shiftKey && isArrow ? `Shift+${event.key}` : event.key;
    if (/^[1-9]$/.test(event.key)) togglePerson(Number(event.key) - 1);
    else if (keys[name]) keys[name]();
    else return;
    event.preventDefault();
    redraw();
  });
}

/** A choice made with the pointer gives the keys back to the player; one made with keys keeps them. */
function letGoOfChoices() {
  for (const choice of document.querySelectorAll("select")) {
    let isPointed = false;
    choice.addEventListener("pointerdown", () => { isPointed = true; });
    choice.addEventListener("keydown", () => { isPointed = false; });
    choice.addEventListener("change", () => { if (isPointed) choice.blur(); });
  }
}

function changeSpeed(player, way) {
  const place = SPEEDS.indexOf(player.speed) + way;
  if (SPEEDS[place]) player.setSpeed(SPEEDS[place]);
}

/** Buttons and bar of the player. */
function makeTransport(clip, player) {
  part("play").addEventListener("click", () => player.toggle());
  part("back").addEventListener("click", () => player.step(-1));
  part("forth").addEventListener("click", () => player.step(1));
  part("speed").append(...SPEEDS.map((speed) => new Option(`${speed}×`, speed)));
  part("speed").addEventListener("change", (event) => player.setSpeed(Number(event.target.value)));
  part("loop").addEventListener("click", () => {
    player.isLooped = !player.isLooped;
    part("loop").setAttribute("aria-pressed", String(player.isLooped));
  });
  const bar = part("scrub");
  bar.max = player.last;
  bar.addEventListener("input", () => player.seek(Number(bar.value)));
  for (const id of ["play", "back", "forth", "scrub"]) part(id).disabled = !clip.n;
}

function showState(player) {
  const play = part("play");
  play.classList.toggle("playing", player.isPlaying);
  play.setAttribute("aria-label", player.isPlaying ? "Pause" : "Play");
  part("speed").value = String(player.speed);
}

/** What is written of a row: frame and time, with the result's own and the video's numbers. */
function showRow(clip, row) {
  if (!clip.n) return;
  const time = `${clip.times[row].toFixed(3)} s`;
  const frame = `frame ${clip.frames[row]}`;
  part("frame").textContent = frame;
  part("time").textContent = time;
  part("scrub").value = row;
  part("scrub").style.setProperty("--share", `${clip.n > 1 ? 100 * row / (clip.n - 1) : 0}%`);
  part("scrub").setAttribute("aria-valuetext", `${frame}, ${time}`);
}

/** What stands under the pictures before a joint is pointed at. */
function notes(clip) {
  if (!clip.n) return "There is not one frame in this result.";
  if (!clip.people.length) return "Nobody was found in this video.";
  return "Point at a joint, or tap it, to read where it is.";
}

async function main() {
  const clip = await readClip(JSON.parse(part("data").textContent));
  let isAsked = false;
  const redraw = () => {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(() => { isAsked = false; draw(); });
  };
  part("stage-2d").style.setProperty("--shape", clip.size[0] / clip.size[1]);
  const shown = new Set(clip.people);
  const player = new Player(part("video"), clip.times, { onRow: redraw, onState: () => showState(player) });
  const scene = new Scene(part("scene"), clip, redraw);
  const overlay = new Overlay(part("overlay"), clip, redraw);
  const plots = makePlots(clip, player, redraw);
  const togglePerson = makePeople(clip, shown, redraw);
  const marks = makeMarks([
    { canvas: part("scene"), spots: () => scene.spots },
    { canvas: part("overlay"), spots: () => overlay.spots },
  ], redraw);
  const draw = () => {
    const present = (row) => [...shown]
      .map((person) => [person, person.at(row, clip.step)])
      .filter(([, joints]) => joints);
    scene.draw(present(player.row), marks.shown);
    const shownRow = player.hasVideo ? player.shownRow : player.row;
    overlay.draw(present(shownRow), marks.shown, player.hasVideo);
    plots.draw(player.row);
    showRow(clip, player.row);
    part("joint").textContent = marks.shown ? jointWords(clip, marks.shown, player.row) : notes(clip);
  };
  let focus = null;
  makeChoice(clip, marks, () => focus, redraw);
  makeTransport(clip, player);
  makeTheme(() => { plots.restyle(); redraw(); });
  makeFacts(clip);
  makeFocus(clip, (person) => { focus = person; plots.take(person); redraw(); });
  for (const button of document.querySelectorAll("[data-look]")) {
    button.addEventListener("click", () => { scene.view.take(button.dataset.look); redraw(); });
  }
  part("help-button").addEventListener("click", () => part("help").showModal());
  part("granted").hidden = !clip.granted.length;
  part("granted").textContent = `Taken for granted: ${clip.granted.join("; ")}.`;
  part("thinned").hidden = clip.step === 1;
  part("thinned").textContent = `To keep this page small, people are kept ${+clip.hz.toPrecision(3)} times a second; between are straight lines.`;
  letGoOfChoices();
  listenToKeys(player, { togglePerson, view: scene.view, redraw });
  openVideo(clip, player, redraw);
  showState(player);
  draw();
  window.pose3d = { clip, player, scene, overlay, shown };  // for tests, and for the curious
}

/** Whose curves are drawn: whoever is there longest, until another one is chosen. */
function makeFocus(clip, take) {
  const select = part("focus");
  select.append(...clip.people.map((person, place) => new Option(person.name, place)));
  part("focus-label").hidden = clip.people.length < 2;
  const longest = clip.people.reduce((best, one, place) => (one.rowsInAll > clip.people[best].rowsInAll ? place : best), 0);
  select.value = String(longest);
  select.addEventListener("change", () => take(clip.people[Number(select.value)]));
  take(clip.people[longest] ?? null);
}

main().catch((error) => {
  part("joint").textContent = typeof DecompressionStream === "undefined"
    ? "This browser is too old to read this page; one from 2023 or later is needed."
    : `This page cannot be read: ${error.message}`;
  throw error;
});
