// The page: zoom, scroll, toggles, reading under the pointer, the map of the whole, and paper.
const $ = (id) => document.getElementById(id);
const field = $("field"), canvas = $("view"), map = $("map"), tip = $("tip");
const darkness = matchMedia("(prefers-color-scheme:dark)");
const state = { scale: 1, layout: "one", colour: "role", hiddenGroups: new Set(), hiddenParts: new Set() };
let layoutNow = { rows: [], height: 0 }, waiting = false;

function inks(dark) {
  const told = getComputedStyle(document.documentElement), value = (name, other) => told.getPropertyValue(name).trim() || other;
  if (dark === undefined) {
    return {
      ink: value("--ink", "#222"), paper: value("--paper", "#fff"), faint: value("--faint", "#666"),
      rule: value("--rule", "#ddd"), soft: value("--soft", "#f2f2f2"), accent: value("--accent", "#b4511b"),
      good: value("--good", "#00796b"), dark: darkness.matches,
    };
  }
  return { ink: "#000", paper: "#fff", faint: "#555", rule: "#ccc", soft: "#f3f3f3", accent: "#b4511b", good: "#00695c", dark: false };
}
function room() { return Math.max(field.clientWidth, 320); }
function fit() { return (room() - GUTTER - 8) / D.length; }
function clampScale(scale) { return Math.min(Math.max(scale, fit()), Math.max(fit(), 500 / D.quarter)); }
function viewOf(left, scale, width, ink) {
  return { ...state, left, scale, width, right: left + (width - GUTTER) / scale, roll: 440, ink };
}
function sized(target, width, height) {
  const dense = Math.min(window.devicePixelRatio || 1, 3);
  const w = Math.round(width * dense), h = Math.round(height * dense);
  if (target.width !== w || target.height !== h) { target.width = w; target.height = h; }
  target.style.width = width + "px";
  target.style.height = height + "px";
  const ctx = target.getContext("2d");
  ctx.setTransform(dense, 0, 0, dense, 0, 0);
  return ctx;
}
function redraw() {
  waiting = false;
  const width = room(), view = viewOf(field.scrollLeft / state.scale, state.scale, width, inks());
  layoutNow = plan(view);
  $("wide").style.width = Math.max(GUTTER + D.length * state.scale + 8, width) + "px";
  $("wide").style.height = layoutNow.height + "px";
  draw(sized(canvas, width, layoutNow.height), view, layoutNow);
  drawMap(view);
  const a = numberAt(view.left), b = numberAt(Math.min(view.right, D.length - 1e-6));
  const field_ = document.querySelector(".tools input");
  if (field_ && field_ !== document.activeElement) field_.value = numberAt(view.left + 3 / state.scale);
  canvas.setAttribute("aria-label", `Piano roll, bars ${a} to ${b} of ${D.numbers[BARS.length - 2]}`);
  document.documentElement.dataset.drawn = "1";
}
function later() { if (!waiting) { waiting = true; requestAnimationFrame(redraw); } }
function zoomTo(scale, pointer = (room() + GUTTER) / 2) {
  const place = (field.scrollLeft + pointer - GUTTER) / state.scale;
  state.scale = clampScale(scale);
  $("wide").style.width = Math.max(GUTTER + D.length * state.scale + 8, room()) + "px";
  field.scrollLeft = place * state.scale - pointer + GUTTER;
  later();
}

// -- the map of the whole ------------------------------------------------------------------------------------------

const MAP = 60;
let mapped = null;
function drawMap(view) {
  const width = room(), scale = (width - GUTTER - 8) / D.length, ctx = sized(map, width, MAP);
  const signature = JSON.stringify([width, state.colour, [...state.hiddenGroups], [...state.hiddenParts], view.ink.ink]);
  if (!mapped || mapped.signature !== signature) {
    mapped = { signature, canvas: document.createElement("canvas") };
    const small = sized(mapped.canvas, width, MAP), all = viewOf(0, scale, width, view.ink);
    small.fillStyle = view.ink.paper;
    small.fillRect(0, 0, width, MAP);
    const x = (place) => GUTTER + place * scale;
    const row = { id: "roll", y: 16, h: MAP - 20 };
    small.save();
    small.beginPath();
    small.rect(GUTTER, 0, width, MAP);
    small.clip();
    boxes(small, all, x, { y: 2, h: 12 }, D.form.length ? D.form : D.phrases, (item) => letterColour(item[2], view.ink.dark), `600 9px ${FONT}`);
    for (const key of D.keys) {
      small.fillStyle = keyColour(key[3], key[2].endsWith("minor"), view.ink.dark);
      small.fillRect(x(key[0]), row.y, (key[1] - key[0]) * scale, MAP - 16);
    }
    notes(small, all, x, row);
    small.restore();
    small.fillStyle = view.ink.faint;
    small.font = `11px ${FONT}`;
    small.textAlign = "right";
    small.textBaseline = "middle";
    small.fillText("whole cue", GUTTER - 6, MAP / 2);
  }
  ctx.drawImage(mapped.canvas, 0, 0, width, MAP);
  const a = GUTTER + view.left * scale, b = Math.min(GUTTER + view.right * scale, width - 2);
  ctx.strokeStyle = view.ink.ink;
  ctx.lineWidth = 2;
  ctx.strokeRect(a + 1, 1, Math.max(b - a - 2, 3), MAP - 2);
}
function mapTo(event) {
  const scale = (room() - GUTTER - 8) / D.length;
  const place = (event.clientX - map.getBoundingClientRect().left - GUTTER) / scale;
  field.scrollLeft = place * state.scale - (room() - GUTTER) / 2;
}
map.addEventListener("pointerdown", (event) => { map.setPointerCapture(event.pointerId); mapTo(event); });
map.addEventListener("pointermove", (event) => { if (event.buttons) mapTo(event); });

// -- reading under the pointer -------------------------------------------------------------------------------------

function wordsAt(px, py) {
  const row = layoutNow.rows.find((r) => r.y <= py && py < r.y + r.h + 1);
  if (!row || px < GUTTER) return null;
  const place = field.scrollLeft / state.scale + (px - GUTTER) / state.scale, near = 5 / state.scale;
  if (["roll", "part", "drums"].includes(row.id)) {
    const view = viewOf(field.scrollLeft / state.scale, state.scale, room(), null);
    let found = -1;
    eachNote(view, row, (i, y, h) => {
      const length = Math.max(END[i] - ON[i], 2 / state.scale);
      if (y - 1 <= py && py <= y + h + 1 && ON[i] - near / 4 <= place && place <= ON[i] + length) found = i;
    });
    return found < 0 ? null : noteWords(found);
  }
  const span = (rows, tell) => { const item = within(rows, place); return item ? tell(item) : null; };
  const point = (rows, tell) => {
    const item = rows.filter((r) => Math.abs(r[0] - place) < 8 * near).sort((a, b) => Math.abs(a[0] - place) - Math.abs(b[0] - place))[0];
    return item ? tell(item) : null;
  };
  const bar = barOf(place);
  const readers = {
    ruler: () => [where(place), ...hyper(bar), ...(D.timecodes.length ? [`bar starts at ${D.timecodes[bar]}`] : [])],
    picture: () => point(D.hits, (h) => [h[2] || "hit", `${h[1]}, ${h[3]}, lands on ${h[4]}`, where(h[0])])
      || span(D.spans, (s) => [`${s[2]}${s[3] ? ": " + s[3] : ""}`, barSpan(s[0], s[1])]),
    marks: () => point(D.marks, (m) => [m[1], where(m[0])]),
    form: () => span(D.form, (s) => [`Section ${s[2]}`, barSpan(s[0], s[1])]),
    phrases: () => span(D.phrases, (s) => [`Phrase ${s[2]}`, barSpan(s[0], s[1])]),
    keys: () => span(D.keys, (s) => [s[2], barSpan(s[0], s[1])]),
    numerals: () => span(D.chords, (s) => [`${s[3]}   ${s[2]}`, `in ${keyNear(s[0])}`, where(s[0])]),
    chords: () => span(D.chords, (s) => [`${s[3]}   ${s[2]}`, `in ${keyNear(s[0])}`, where(s[0])]),
    cadences: () => point(D.cadences, (c) => [`${c[2]} cadence`, `in ${c[3]}`, where(c[0])]),
    dynamics: () => point(D.dynamics, (d) => [d[1], `parts: ${d[3]}`, where(d[0])]),
    loudness: () => [`mean velocity ${D.loudness[bar]}`, `bar ${D.numbers[bar]}`],
    intensity: () => [`intensity ${D.intensity[bar] || 0} of 100`, `bar ${D.numbers[bar]}`,
      ...Object.entries(D.terms).map(([name, values]) => `${name} ${values[bar]}`)],
    tempo: () => { const t = D.tempo[Math.max(last(D.tempo, place, first), 0)]; return [`♩ = ${t[1]}`, `from ${where(t[0])}`]; },
    motif: () => {
      const motif = D.motifs[row.index];
      return span(motif.at, (s) => [
        `Motif ${motif.name}, ${motif.notes} notes, ${motif.at.length} times`,
        s[2] + (s[3] ? `, ${Math.abs(s[3])} semitones ${s[3] > 0 ? "up" : "down"}` : ""),
        `${D.parts[s[4]][0]}, ${where(s[0])}`,
      ]);
    },
  };
  return readers[row.id] ? readers[row.id]() : null;
}
function hyper(bar) {
  const span = within(D.hyper, BARS[bar]);
  return span && span[2] > 1 ? [`bar ${(bar - barOf(span[0])) % span[2] + 1} of a group of ${span[2]}`] : [];
}
function keyNear(place) { const key = D.keys[Math.max(last(D.keys, place, first), 0)]; return key ? key[2] : ""; }
function tell(event) {
  const box = canvas.getBoundingClientRect(), words = wordsAt(event.clientX - box.left, event.clientY - box.top);
  tip.hidden = !words;
  if (!words) return;
  tip.replaceChildren(...words.map((text, k) => {
    const line = document.createElement(k ? "div" : "b");
    line.textContent = text;
    return line;
  }));
  const left = Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 10);
  const below = event.clientY + 18 + tip.offsetHeight < window.innerHeight;
  tip.style.left = Math.max(left, 4) + "px";
  tip.style.top = (below ? event.clientY + 18 : event.clientY - tip.offsetHeight - 12) + "px";
}
let dragged = null;
canvas.addEventListener("pointermove", (event) => {
  if (dragged) field.scrollLeft = dragged.scroll - (event.clientX - dragged.x);
  else tell(event);
});
canvas.addEventListener("pointerdown", (event) => {
  if (event.pointerType !== "mouse") return tell(event);
  dragged = { x: event.clientX, scroll: field.scrollLeft };
  canvas.setPointerCapture(event.pointerId);
  tip.hidden = true;
});
canvas.addEventListener("pointerup", () => { dragged = null; });
canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
field.addEventListener("wheel", (event) => {
  if (!event.ctrlKey) return;
  event.preventDefault();
  zoomTo(state.scale * Math.exp(-event.deltaY / 300), event.clientX - canvas.getBoundingClientRect().left);
}, { passive: false });
field.addEventListener("keydown", (event) => {
  if (event.key === "+" || event.key === "=") zoomTo(state.scale * 1.3);
  else if (event.key === "-") zoomTo(state.scale / 1.3);
  else if (event.key === "Home") field.scrollLeft = 0;
  else if (event.key === "End") field.scrollLeft = 1e9;
  else if (event.key === "ArrowRight" || event.key === "ArrowLeft") field.scrollLeft += event.key === "ArrowRight" ? 90 : -90;
  else return;
  event.preventDefault();
});
field.addEventListener("scroll", () => { tip.hidden = true; later(); });

function goTo(place) { field.scrollLeft = place * state.scale - 2; later(); }
// the head of a phrase in the table leads to its music
for (const head of document.querySelectorAll(".matrix thead tr:last-child th")) {
  const phrase = D.phrases[head.cellIndex - 1];
  if (!phrase) continue;
  head.classList.add("leads");
  head.addEventListener("click", () => { goTo(phrase[0]); $("roll").scrollIntoView({ behavior: "smooth" }); });
}

// -- tools ---------------------------------------------------------------------------------------------------------

function button(text, act, { pressed, colour, title } = {}) {
  const made = document.createElement("button");
  made.type = "button";
  if (colour) { const dot = document.createElement("i"); dot.style.background = colour; made.append(dot); }
  made.append(text);
  if (title) made.title = title;
  if (pressed !== undefined) made.setAttribute("aria-pressed", String(pressed));
  made.addEventListener("click", act);
  return made;
}
function set(name, ...children) {
  const made = document.createElement("div");
  made.className = "set";
  made.setAttribute("role", "group");
  made.setAttribute("aria-label", name);
  const label = document.createElement("span");
  label.textContent = name;
  made.append(label, ...children);
  return made;
}
// hide or show one of many; a double click leaves it alone, a second one brings all back
function chip(text, colour, hidden, value, every) {
  const made = button(text, () => { if (!hidden.delete(value)) hidden.add(value); tools(); }, { pressed: !hidden.has(value), colour });
  made.addEventListener("dblclick", () => {
    const alone = every.every((other) => other === value || hidden.has(other));
    hidden.clear();
    if (!alone) for (const other of every) if (other !== value) hidden.add(other);
    tools();
  });
  return made;
}
function barField() {
  const input = document.createElement("input");
  Object.assign(input, { type: "number", min: D.numbers[0], max: D.numbers[BARS.length - 2], value: numberAt(field.scrollLeft / state.scale) });
  input.setAttribute("aria-label", "Go to bar");
  input.addEventListener("change", () => {
    const found = D.numbers.findIndex((number) => number >= Math.round(+input.value));
    goTo(BARS[found < 0 ? BARS.length - 2 : found]);
  });
  return input;
}
let open = false;
function tools() {
  const way = (name, value, text) => button(text, () => { state[name] = value; tools(); }, { pressed: state[name] === value });
  const used = D.groups.map((_, g) => g).filter((g) => BUCKETS[ORDER.indexOf(g)].length);
  const roles = used.map((g) => chip(D.groups[g][1], D.groups[g][2], state.hiddenGroups, g, used));
  if (TWICE.some(Boolean)) roles.push(chip("Doubling (outlined)", "transparent", state.hiddenGroups, "twice", ["twice"]));
  const all = D.parts.map((_, p) => p);
  const parts = document.createElement("details");
  parts.open = open || state.hiddenParts.size > 0;
  parts.addEventListener("toggle", () => { open = parts.open; });
  const head = document.createElement("summary");
  head.textContent = `Parts (${all.length - state.hiddenParts.size} of ${all.length} shown)`;
  const inks_ = inks();
  parts.append(head, set("", ...all.map((p) => chip(D.parts[p][0], partColour(p, inks_.dark), state.hiddenParts, p, all))));
  $("tools").replaceChildren(
    set("Zoom", button("−", () => zoomTo(state.scale / 1.4), { title: "out" }), button("+", () => zoomTo(state.scale * 1.4), { title: "in" }),
      button("Whole cue", () => zoomTo(fit())), button("Chords readable", () => zoomTo(readable()))),
    set("Go to bar", barField()),
    set("Colour by", way("colour", "role", "role"), way("colour", "part", "part")),
    set("Lay out", way("layout", "one", "in one roll"), way("layout", "parts", "in score order")),
    set("Roles", ...roles), parts,
  );
  later();
}

// -- paper ---------------------------------------------------------------------------------------------------------

// On paper the cue runs in systems of whole bars, one canvas each.
function paper() {
  const ink = inks(false), width = 1500, most = 48;
  const scale = Math.max(Math.min(0.8 * readable(), (width - GUTTER) / (8 * D.quarter)), 1e-9);
  let span = Math.max((width - GUTTER - 4) / scale, D.length / most);
  if (D.length < span * 1.3) span = D.length;
  const out = [];
  for (let bar = 0; bar < BARS.length - 1;) {
    let stop = bar + 1;
    while (stop < BARS.length - 1 && BARS[stop + 1] - BARS[bar] <= span) stop++;
    const system = document.createElement("canvas"), own = (width - GUTTER - 4) / span;
    const wide_ = GUTTER + (BARS[stop] - BARS[bar]) * own + 2;
    const view = { ...viewOf(BARS[bar], own, wide_, ink), right: BARS[stop], roll: 215, paper: true };
    const layout = plan(view), ctx = sized(system, wide_, layout.height);
    draw(ctx, view, layout);
    const tall = layout.height / width * 275 / 180; // of a page's height, at full width on A4 landscape
    system.style.width = (100 * wide_ / width / Math.max(tall, 1)) + "%";
    system.style.height = "auto";
    out.push(system);
    bar = stop;
  }
  $("print").replaceChildren(...out);
}
addEventListener("beforeprint", paper);
addEventListener("afterprint", () => $("print").replaceChildren());
addEventListener("resize", () => { state.scale = clampScale(state.scale); later(); });
darkness.addEventListener("change", tools);
state.scale = readable() < 1.35 * fit() ? fit() : clampScale(readable());
tools();
