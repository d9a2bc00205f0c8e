"use strict";
// The cue as the drawing needs it: columns of notes, and where a place lies in bars, beats and time.
// Places are units of the data (a whole number of ticks); bars are told as printed, beats and voices from 1.
const D = JSON.parse(document.getElementById("cue").textContent);
const NOTES = D.notes.on.length;
const BARS = [];
{ let place = 0; for (const step of D.bars) BARS.push(place += step); }
const ON = new Float64Array(NOTES), END = new Float64Array(NOTES);
const GROUP = new Int8Array(NOTES), TWICE = new Uint8Array(NOTES), PHRASE = new Int32Array(NOTES);
const PART = new Int32Array(NOTES);
const DRUMS = Object.keys(D.drums).map(Number).sort((a, b) => a - b);
const GROUPS = D.groups.length;
let LONGEST = 0, LOW = 127, HIGH = 0;
{
  let place = 0, phrase = 0;
  for (let i = 0; i < NOTES; i++) {
    ON[i] = place += D.notes.on[i];
    END[i] = place + D.notes.dur[i];
    LONGEST = Math.max(LONGEST, D.notes.dur[i]);
    while (phrase + 1 < D.phrases.length && D.phrases[phrase + 1][0] <= place) phrase++;
    PHRASE[i] = phrase;
    const line = D.lines[D.notes.line[i]];
    PART[i] = line ? line.part : 0;
    const sign = line ? line.role[phrase] : ".";
    GROUP[i] = sign === "." || sign === undefined ? GROUPS - 1 : +sign;
    TWICE[i] = line && line.twice[phrase] === "1" ? 1 : 0;
    if (!D.parts[PART[i]][2]) {
      LOW = Math.min(LOW, D.notes.pitch[i]);
      HIGH = Math.max(HIGH, D.notes.pitch[i]);
    }
  }
}
if (LOW > HIGH) { LOW = 60; HIGH = 71; }
LOW = Math.max(0, LOW - 2);
HIGH = HIGH + 2;
while (HIGH - LOW < 23) { LOW--; HIGH++; }

// index of the last entry at or below a value in rising numbers (or in rows whose first field rises)
function last(rows, value, key = (row) => row) {
  let low = 0, high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (key(rows[middle]) <= value) low = middle + 1; else high = middle;
  }
  return low - 1;
}
const first = (row) => row[0];
const within = (rows, place) => rows.find((row) => row[0] <= place && place < row[1]);

function barOf(place) { return Math.min(Math.max(last(BARS, place), 0), BARS.length - 2); }
function numberAt(place) { return D.numbers[barOf(place)]; }
function meterAt(place) { return D.meters[Math.max(last(D.meters, place, first), 0)]; }
function beatOf(place) {
  const bar = barOf(place);
  return (place - BARS[bar] + (D.before[bar] || 0)) / meterAt(BARS[bar])[3] + 1;
}
function secondsAt(place) {
  const bar = barOf(place), a = D.seconds[bar], b = D.seconds[bar + 1];
  return a + (b - a) * (place - BARS[bar]) / Math.max(BARS[bar + 1] - BARS[bar], 1e-9);
}
function clock(seconds, fine) {
  const whole = Math.floor(seconds / 60), rest = seconds - 60 * whole;
  return whole + ":" + (fine ? rest.toFixed(1).padStart(4, "0") : String(Math.floor(rest)).padStart(2, "0"));
}
function where(place) {
  const beat = Math.round(beatOf(place) * 100) / 100;
  return `bar ${numberAt(place)}, beat ${beat}, at ${clock(secondsAt(place), true)}`;
}
function barSpan(start, end) {
  const a = numberAt(start), b = numberAt(Math.max(end - 1e-6, start));
  return a === b ? `bar ${a}` : `bars ${a}–${b}`;
}

const PLAIN = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];
function pitchName(i) {
  const pitch = D.notes.pitch[i];
  if (D.parts[PART[i]][2]) return D.drums[pitch] || `drum key ${pitch}`;
  const fifth = D.notes.fifth ? D.notes.fifth[i] : 99;
  let name;
  if (fifth !== 99) {
    const alter = Math.floor((fifth + 1) / 7);
    name = "FCGDAEB"[(((fifth + 1) % 7) + 7) % 7] + (alter > 0 ? "♯".repeat(alter) : "♭".repeat(-alter));
  } else {
    const key = D.keys[Math.max(last(D.keys, ON[i], first), 0)];
    name = (key ? key[4] : PLAIN)[pitch % 12];
  }
  const alter = (name.match(/♯/g) || []).length + 2 * (name.match(/𝄪/gu) || []).length
    - (name.match(/♭/g) || []).length - 2 * (name.match(/𝄫/gu) || []).length;
  return name + (Math.floor((pitch - alter) / 12) - 1);
}
function noteWords(i) {
  const line = D.lines[D.notes.line[i]], part = D.parts[PART[i]], phrase = PHRASE[i];
  const out = [`${pitchName(i)}   ${line ? line.name : part[0]}`];
  if (part[1] && !part[1].includes(part[0]) && !part[0].includes(part[1])) out[0] += ` (${part[1]})`;
  if (line) {
    let at = 0;
    while (at < line.told.length && line.told[at] !== phrase) at += 4;
    const [, other, interval, pattern] = at < line.told.length ? line.told.slice(at, at + 4) : [phrase, -1, 0, 0];
    let role = D.groups[GROUP[i]][1];
    if (line.sure[phrase] !== "0") role += `, ${line.sure[phrase] === "9" ? "sure" : line.sure[phrase] + "0 % sure"}`;
    if (D.patterns[pattern]) role += `; ${D.patterns[pattern]}`;
    out.push(role);
    const how = D.intervals[interval] ? ` ${D.intervals[interval]}` : "";
    if (other >= 0) out.push(`${TWICE[i] ? "doubles" : "goes with"} ${D.lines[other].name}${how}`);
    out.push(`voice ${line.voice + 1}, velocity ${D.notes.vel[i]}`);
  }
  const beats = (END[i] - ON[i]) / meterAt(ON[i])[3];
  out.push(`${where(ON[i])}, ${Math.round(beats * 100) / 100} beats long`);
  return out;
}

// places that make chords readable: seven chords of ten are wide enough for their numerals
function readable() {
  const spans = D.chords.map((chord) => chord[1] - chord[0]).sort((a, b) => a - b);
  const chord = spans.length ? spans[Math.floor(spans.length * 0.3)] : D.quarter * 2;
  const bar = D.length / Math.max(BARS.length - 1, 1);
  return Math.min(Math.max(38 / Math.max(chord, 1e-9), 40 / bar), 220 / bar);
}
