// The parts of the page round the pictures. Text from the data is only ever text, never HTML.

const part = (id) => document.getElementById(id);

/** An element with attributes, and what is in it. */
function made(tag, attributes = {}, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...inside);
  return element;
}

/** A button a person: whether they are shown. */
function makePeople(clip, shown, changed) {
  const buttons = clip.people.map((person, place) => {
    const share = clip.n ? Math.round(100 * person.rowsInAll / clip.n) : 0;
    const button = made(
      "button", { type: "button", class: "person", "aria-pressed": "true" },
      made("span", { class: "dot", style: `background: var(--person-${person.colour})` }),
      person.name,
      made("small", {}, `${share} %`),
    );
    const key = place < 9 ? `; key ${place + 1}` : "";
    button.title = `in ${person.rowsInAll} of ${clip.n} frames${key}`;
    button.addEventListener("click", () => toggle(place));
    return button;
  });
  const toggle = (place) => {
    const person = clip.people[place];
    if (!person) return;
    if (!shown.delete(person)) shown.add(person);
    buttons[place].setAttribute("aria-pressed", String(shown.has(person)));
    changed();
  };
  part("people").append(...buttons);
  part("people").hidden = !clip.people.length;
  return toggle;
}

/** Curves with their legends; gives what draws them at a row. */
function makePlots(clip, player, redraw) {
  const kinds = clip.people.length && clip.n > 1 ? plotKinds(clip) : [];
  const plots = kinds.map((kind) => {
    const canvas = made("canvas", { role: "img", "aria-label": `${kind.name} over time; ${kind.words}` });
    const values = kind.curves.map(() => made("b", {}, "–"));
    const keys = kind.curves.map(([side, name], n) => made(
      "span", { class: "key" },
      made("span", { class: "stroke", style: `background: var(--${side})` }), `${name} `, values[n],
    ));
    const head = made(
      "header", {}, made("h3", {}, kind.name), made("small", {}, kind.words),
      made("span", { class: "keys" }, ...keys),
    );
    part("plots").append(made("section", { class: "plot" }, head, canvas));
    const plot = new Plot(canvas, clip, kind, redraw);
    dragged(canvas, (x) => player.seek(player.rowAt(plot.timeAt(x))));
    return { plot, values };
  });
  part("curves").hidden = !plots.length;
  let person = null;
  return {
    take: (other) => {
      person = other;
      for (const { plot } of plots) plot.take(other);
    },
    draw: (row) => {
      const joints = person && person.at(row, clip.step);
      for (const { plot, values } of plots) {
        plot.draw(row, joints).forEach((value, n) => {
          values[n].textContent = withUnit(value, plot.kind.unit);
        });
      }
    },
    restyle: () => plots.forEach(({ plot }) => plot.drawStill()),
  };
}

/** Call `move` with the pixel, from left, where the pointer is pressed or drawn to. */
function dragged(canvas, move) {
  const tell = (event) => move(event.clientX - canvas.getBoundingClientRect().left);
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    tell(event);
  });
  canvas.addEventListener("pointermove", (event) => { if (event.buttons & 1) tell(event); });
}

/** Joints under the pointer, and one that a click or tap keeps: `marks.shown` is what is read out. */
function makeMarks(pictures, redraw) {
  const marks = { hovered: null, kept: null, get shown() { return this.hovered ?? this.kept; } };
  for (const { canvas, spots } of pictures) {
    let start = null;
    const under = (event) => {
      const box = canvas.getBoundingClientRect();
      const reach = event.pointerType === "touch" ? 28 : 16;
      return nearest(spots(), event.clientX - box.left, event.clientY - box.top, reach);
    };
    canvas.addEventListener("pointerdown", (event) => { start = [event.clientX, event.clientY]; });
    canvas.addEventListener("pointerup", (event) => {
      const isTap = start && Math.hypot(event.clientX - start[0], event.clientY - start[1]) < 5;
      if (isTap) marks.kept = under(event);
      marks.hovered = null;
      redraw();
    });
    canvas.addEventListener("pointermove", (event) => {
      if (event.buttons || event.pointerType === "touch") return;
      const spot = under(event);
      canvas.classList.toggle("on-joint", Boolean(spot));
      if (spot?.person === marks.hovered?.person && spot?.joint === marks.hovered?.joint) return;
      marks.hovered = spot;
      redraw();
    });
    canvas.addEventListener("pointerleave", () => { marks.hovered = null; redraw(); });
  }
  return marks;
}

/** A choice of joint for whoever has no pointer: of the person whose curves are drawn. */
function makeChoice(clip, marks, person, redraw) {
  const choice = part("joint-choice");
  choice.append(...clip.joints.map((name, joint) => new Option(plain(name), joint)));
  part("joint-label").hidden = !clip.people.length;
  choice.addEventListener("change", () => {
    marks.kept = choice.value === "" ? null : { person: person(), joint: Number(choice.value) };
    redraw();
  });
}

/** What is known of a joint at a row, in words. */
function jointWords(clip, { person, joint }, row) {
  const joints = person.at(row, clip.step);
  const name = `${clip.people.length > 1 ? `${person.name}, ` : ""}${plain(clip.joints[joint])}`;
  if (!joints) return `${name}: not there in this frame`;
  const [x, y, z] = [0, 1, 2].map((axis) => digits(joints.xyz[3 * joint + axis], 2));
  const [u, v] = [0, 1].map((axis) => digits(joints.px[2 * joint + axis], 0));
  const sure = joints.score[joint] > 0 ? `score ${digits(joints.score[joint], 2)}` : "filled in";
  return `${name}: x ${x}, y ${y}, z ${z} m; pixel ${u}, ${v}; ${sure}`;
}

/** How the result was made, as a table. */
function makeFacts(clip) {
  const rows = clip.facts.map(([name, words]) => made("tr", {}, made("th", { scope: "row" }, name), made("td", {}, words)));
  part("facts").append(made("tbody", {}, ...rows));
}

/** Light or dark: what the system says until the button is pressed. */
function makeTheme(changed) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const tell = () => part("theme").setAttribute("aria-pressed", String(isDark()));
  part("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    tell();
    changed();
  });
  system.addEventListener("change", () => { tell(); changed(); });
  tell();
}
