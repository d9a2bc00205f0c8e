// Drawing: ruler, lanes and notes of a stretch of the cue on one canvas, for the screen and for paper alike.
const GUTTER = innerWidth < 700 ? 74 : 118; // room for the names of lanes and parts
const FONT = "system-ui,-apple-system,'Segoe UI',sans-serif";
const CADENCE = {
  "perfect authentic": "PAC", "imperfect authentic": "IAC", half: "HC", plagal: "PC", deceptive: "DC",
};
const ORDER = [6, 3, 4, 5, 1, 2, 0].filter((g) => g < GROUPS); // the tune on top
const BUCKETS = ORDER.map((group) => {
  const out = [];
  for (let i = 0; i < NOTES; i++) if (GROUP[i] === group) out.push(i);
  return Int32Array.from(out);
});
const TEMPI = D.tempo.flatMap((row) => [row[1], row[2]]);
const TEMPO_MOVES = Math.max(...TEMPI) - Math.min(...TEMPI) > 0.5;
const SHORT = D.seconds[D.seconds.length - 1] < 60; // tell tenths of a second
const PICTURE = D.hits.length + D.spans.length + D.cuts.length > 0;

function partColour(part, dark) {
  const many = Math.max(D.parts.length, 1);
  return `hsl(${Math.round(360 * part / many)} 62% ${(dark ? [66, 52] : [46, 34])[part % 2]}%)`;
}
function keyColour(fifths, minor, dark) {
  const hue = (((fifths * 30 + 48) % 360) + 360) % 360;
  const [strong, light] = dark ? (minor ? [30, 22] : [34, 30]) : minor ? [42, 74] : [62, 84];
  return `hsl(${hue} ${strong}% ${light}%)`;
}
function letterColour(label, dark) {
  const hue = ((label.charCodeAt(0) || 65) - 65) * 67 + 205;
  return `hsl(${hue % 360} ${dark ? 26 : 38}% ${dark ? 30 : 84}%)`;
}

// what lies where, from the top
function plan(view) {
  const rows = [], add = (id, height, title) => { rows.push({ id, y, h: height, title }); y += height + 2; };
  let y = 0;
  add("ruler", D.timecodes.length ? 44 : 32, "bar");
  if (PICTURE) add("picture", 28, "picture");
  if (D.marks.length && !(view.paper && !D.marks.some((m) => m[0] >= view.left && m[0] < view.right))) add("marks", 15, "marks");
  if (D.form.length) add("form", 18, "sections");
  if (D.phrases.length) add("phrases", 16, "phrases");
  if (D.keys.length) add("keys", 18, "keys");
  if (D.chords.length) { add("numerals", 19, "harmony"); add("chords", 15, "chords"); }
  if (D.cadences.length) add("cadences", 15, "cadences");
  y += 4;
  const pitches = HIGH - LOW + 1;
  if (view.layout === "parts") {
    D.parts.forEach((part, index) => {
      if (view.hiddenParts.has(index)) return;
      const range = PART_RANGE[index];
      if (!range || (view.paper && !sounds(index, view))) return; // resting parts need no room on paper
      rows.push({ id: "part", part: index, y, h: part[2] ? 14 : Math.min(Math.max(range[1] - range[0], 10) * 1.6 + 8, 64), title: part[0] });
      y += rows[rows.length - 1].h + 1;
    });
  } else {
    const height = Math.max(Math.min(view.roll / pitches, 10), view.paper ? 2.6 : 3.4);
    rows.push({ id: "roll", y, h: pitches * height, title: "" });
    y += pitches * height + 4;
    if (DRUMS.length) add("drums", DRUMS.length * 6 + 2, "percussion");
  }
  y += 4;
  if (D.dynamics.length || D.hairpins.length) add("dynamics", 18, "dynamics");
  else if (new Set(D.loudness.filter(Boolean)).size > 1) add("loudness", 24, "loudness");
  if (D.intensity.length) add("intensity", 34, "intensity");
  const still = view.paper && D.tempo.every((row) => row[0] <= view.left || row[0] >= view.right);
  if (TEMPO_MOVES && !still) add("tempo", 34, "tempo");
  D.motifs.forEach((motif, index) => {
    if (view.paper && !motif.at.some((at) => at[0] < view.right && at[1] > view.left)) return;
    rows.push({ id: "motif", index, y, h: 9, title: motif.name });
    y += 10;
  });
  return { rows, height: y + 2 };
}
const PART_RANGE = D.parts.map(() => null);
for (let i = 0; i < NOTES; i++) {
  const range = PART_RANGE[PART[i]], pitch = D.notes.pitch[i];
  if (!range) PART_RANGE[PART[i]] = [pitch, pitch];
  else { range[0] = Math.min(range[0], pitch); range[1] = Math.max(range[1], pitch); }
}

function sounds(part, view) {
  for (let i = Math.max(last(ON, view.left - LONGEST) + 1, 0); i < NOTES && ON[i] < view.right; i++) {
    if (PART[i] === part && END[i] > view.left) return true;
  }
  return false;
}

const WIDTHS = new Map();
function wide(ctx, text) {
  const key = ctx.font + text;
  let width = WIDTHS.get(key);
  if (width === undefined) { width = ctx.measureText(text).width; if (WIDTHS.size < 20000) WIDTHS.set(key, width); }
  return width;
}
function cut(ctx, text, room) {
  if (wide(ctx, text) <= room) return text;
  let short = text;
  while (short.length > 1 && wide(ctx, short + "…") > room) short = short.slice(0, -1);
  return short.length > 1 ? short + "…" : "";
}

// view: left (place at the gutter's edge), right, scale (pixels a place), width, layout, colour, hidden sets, ink
function draw(ctx, view, { rows, height }) {
  ctx.clearRect(0, 0, view.width, height);
  ctx.fillStyle = view.ink.paper;
  ctx.fillRect(0, 0, view.width, height);
  const x = (place) => GUTTER + (place - view.left) * view.scale;
  ctx.save();
  ctx.beginPath();
  ctx.rect(GUTTER, 0, view.width - GUTTER, height);
  ctx.clip();
  ctx.textBaseline = "middle";
  const music = rows.filter((row) => row.id === "roll" || row.id === "part" || row.id === "drums");
  const top = music.length ? music[0].y : 0;
  const bottom = music.length ? music[music.length - 1].y + music[music.length - 1].h : top;
  for (const row of music) ground(ctx, view, row);
  grid(ctx, view, x, rows, top, bottom, height);
  for (const row of music) notes(ctx, view, x, row);
  for (const row of rows) if (LANES[row.id]) LANES[row.id](ctx, view, x, row);
  ctx.restore();
  gutter(ctx, view, rows);
}

function ground(ctx, view, row) {
  if (row.id !== "roll") {
    ctx.fillStyle = view.ink.soft;
    ctx.fillRect(GUTTER, row.y, view.width, row.h);
    return;
  }
  const step = row.h / (HIGH - LOW + 1);
  for (let pitch = LOW; pitch <= HIGH; pitch++) {
    const y = row.y + (HIGH - pitch) * step;
    if ([1, 3, 6, 8, 10].includes(pitch % 12)) {
      ctx.fillStyle = view.ink.soft;
      ctx.fillRect(GUTTER, y, view.width, step);
    }
    if (pitch % 12 === 0) { ctx.fillStyle = view.ink.rule; ctx.fillRect(GUTTER, y + step - 0.5, view.width, 1); }
  }
}

function grid(ctx, view, x, rows, top, bottom, height) {
  const from = Math.max(barOf(view.left) - 1, 0), to = Math.min(barOf(view.right) + 1, BARS.length - 1);
  const gap = view.scale * (BARS[to] - BARS[from]) / Math.max(to - from, 1);
  const every = [1, 2, 4, 5, 10, 20, 50, 100, 200, 500].find((n) => n * gap >= 30) || 1000;
  ctx.fillStyle = view.ink.rule;
  const line = (place, a, b, strength, thick = 1) => {
    ctx.globalAlpha = strength;
    ctx.fillRect(Math.round(x(place)), a, thick, b - a);
  };
  for (let bar = from; bar <= to; bar++) {
    if (gap >= 5 || bar % every === 0) line(BARS[bar], top, bottom, 0.9);
    const beat = meterAt(BARS[bar])[3];
    if (beat * view.scale >= 14 && bar < BARS.length - 1) {
      for (let at = BARS[bar] + beat; at < BARS[bar + 1]; at += beat) line(at, top, bottom, 0.4);
    }
  }
  ctx.globalAlpha = 1;
  ctx.fillStyle = view.ink.faint;
  const dense = D.phrases.length * 22 > D.length * view.scale;
  if (!dense) for (const row of D.phrases) if (row[0] > view.left && row[0] < view.right) line(row[0], top, bottom, 0.5);
  for (const row of D.form) if (row[0] > view.left && row[0] < view.right) line(row[0], top - 3, bottom, 0.9, 2);
  ctx.globalAlpha = 0.13;
  ctx.fillStyle = view.ink.accent;
  for (const [start, end, kind] of D.spans) if (kind !== "cut") ctx.fillRect(x(start), top, x(end) - x(start), bottom - top);
  ctx.globalAlpha = 1;
  ruler(ctx, view, x, rows[0], from, to, every, gap);
}

function ruler(ctx, view, x, row, from, to, every, gap) {
  let number = -1e9, time = -1e9, code = -1e9, meter = "";
  const changes = new Map();
  for (const [at, numerator, denominator] of D.meters) {
    const told = `${numerator}/${denominator}`;
    const bar = barOf(at);  // over an upbeat there is no room for a meter
    if (told !== meter) changes.set(bar === 0 && D.before[0] ? 1 : bar, told);
    meter = told;
  }
  const put = (text, left, y, free, font, colour) => {
    ctx.font = font;
    if (left < free) return free;
    ctx.fillStyle = colour;
    ctx.fillText(text, left, y);
    return left + wide(ctx, text) + 6;
  };
  ctx.textAlign = "left";
  ctx.fillStyle = view.ink.faint;
  for (const [start, end, group] of D.hyper) {
    if (group < 2) continue;
    const base = barOf(start), stop = barOf(Math.max(end - 1e-6, start));
    for (let bar = base; bar <= stop; bar += group) {
      if (bar >= from && bar <= to) ctx.fillRect(x(BARS[bar]), row.y + row.h - 3, Math.max(gap * 0.22, 2), 2.5);
    }
  }
  for (let bar = from; bar < to; bar++) {
    const told = bar % every === 0, changed = changes.get(bar);
    if (!told && !changed) continue;
    const left = x(BARS[bar]) + 3;
    if (told) {
      ctx.fillStyle = view.ink.rule;
      ctx.fillRect(Math.round(left - 3), row.y + 2, 1, row.h);
      number = put(String(D.numbers[bar]), left, row.y + 9, number, `600 11px ${FONT}`, view.ink.ink);
      time = put(clock(D.seconds[bar], SHORT), left, row.y + 22, time, `10px ${FONT}`, view.ink.faint);
      if (D.timecodes.length) code = put(D.timecodes[bar], left, row.y + 35, code, `10px ${FONT}`, view.ink.faint);
    }
    if (changed && (told || gap * every > 60)) {
      const place = Math.max(left, Math.min(number, left + 30));
      if (place < number && number > left + 30) continue;
      number = Math.max(number, put(changed, place, row.y + 9, -1e9, `italic 10px ${FONT}`, view.ink.accent));
    }
  }
}

function shown(view, i) { return !view.hiddenParts.has(PART[i]) && !(TWICE[i] && view.hiddenGroups.has("twice")); }

function eachNote(view, row, visit) {
  BUCKETS.forEach((bucket, k) => {
    if (view.hiddenGroups.has(ORDER[k])) return;
    let i = last(bucket, view.left - LONGEST, (n) => ON[n]) + 1;
    for (; i < bucket.length && ON[bucket[i]] <= view.right; i++) {
      const note = bucket[i];
      if (END[note] < view.left || !shown(view, note)) continue;
      const box = noteBox(row, note);
      if (box) visit(note, box[0], box[1]);
    }
  });
}
function noteBox(row, i) {
  const drum = D.parts[PART[i]][2], pitch = D.notes.pitch[i];
  if (row.id === "part") {
    if (PART[i] !== row.part) return null;
    const [low, high] = PART_RANGE[row.part], step = (row.h - 7) / Math.max(high - low, drum ? 1 : 10);
    const size = Math.max(Math.min(step, 5), 2.4);
    return [row.y + row.h - 3 - (pitch - low) * step - size / 2, size];
  }
  if (row.id === "drums") return drum ? [row.y + row.h - 7 - DRUMS.indexOf(pitch) * 6, 5] : null;
  const step = row.h / (HIGH - LOW + 1);
  return drum ? null : [row.y + (HIGH - pitch) * step + 0.3, Math.max(step - 0.6, 1.2)];
}
function notes(ctx, view, x, row) {
  eachNote(view, row, (i, y, h) => {
    const drum = D.parts[PART[i]][2], left = x(ON[i]);
    let width = Math.max((END[i] - ON[i]) * view.scale - 0.8, 1.4);
    if (drum) width = Math.min(width, 5);
    ctx.fillStyle = view.colour === "part" ? partColour(PART[i], view.ink.dark) : D.groups[GROUP[i]][2];
    const loud = 0.55 + 0.45 * D.notes.vel[i] / 127;
    if (TWICE[i]) {
      ctx.globalAlpha = 0.38 * loud;
      ctx.fillRect(left, y, width, h);
      if (width > 3 && h > 2.6) {
        ctx.globalAlpha = 0.95;
        ctx.strokeStyle = ctx.fillStyle;
        ctx.lineWidth = 0.8;
        ctx.strokeRect(left + 0.4, y + 0.4, width - 0.8, h - 0.8);
      }
    } else {
      ctx.globalAlpha = loud;
      ctx.fillRect(left, y, width, h);
    }
  });
  ctx.globalAlpha = 1;
}

function gutter(ctx, view, rows) {
  ctx.fillStyle = view.ink.paper;
  ctx.fillRect(0, 0, GUTTER - 1, 1e4);
  ctx.textBaseline = "middle";
  ctx.textAlign = "right";
  for (const row of rows) {
    ctx.font = `11px ${FONT}`;
    ctx.fillStyle = row.id === "part" ? view.ink.ink : view.ink.faint;
    if (row.id === "roll") {
      const step = row.h / (HIGH - LOW + 1);
      for (let pitch = LOW; pitch <= HIGH; pitch++) {
        if (pitch % 12 === 0) ctx.fillText(`C${pitch / 12 - 1}`, GUTTER - 6, row.y + (HIGH - pitch + 0.5) * step);
      }
    } else if (row.id === "ruler") {
      ctx.fillText("bar", GUTTER - 6, row.y + 9);
      ctx.fillText("time", GUTTER - 6, row.y + 22);
      if (D.timecodes.length) ctx.fillText("timecode", GUTTER - 6, row.y + 35);
    } else {
      if (row.id === "motif") ctx.font = `9px ${FONT}`;
      ctx.fillText(cut(ctx, row.title, GUTTER - 10), GUTTER - 6, row.y + row.h / 2);
    }
  }
  ctx.fillStyle = view.ink.rule;
  ctx.fillRect(GUTTER - 2, 0, 1, 1e4);
}
