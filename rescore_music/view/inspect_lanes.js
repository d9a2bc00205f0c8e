// Lanes: boxes, labels and curves of what runs beside the notes.

// boxes of (start, end, label): each filled, its label inside where it fits; the label stays in sight while scrolling
function boxes(ctx, view, x, row, items, fill, font, align = "left", small = "") {
  let fitted = 0, seen = 0;
  ctx.textAlign = align;
  for (const item of items) {
    if (item[1] <= view.left || item[0] >= view.right) continue;
    const a = x(item[0]), b = x(item[1]), from = Math.max(a, GUTTER), to = Math.min(b, view.width);
    const colour = fill(item);
    if (colour) { ctx.fillStyle = colour; ctx.fillRect(a, row.y, Math.max(b - a - 1, 0.6), row.h); }
    seen++;
    const label = item[2], room = to - from - (align === "left" ? 5 : 2);
    ctx.font = font;
    if (small && wide(ctx, label) > room) ctx.font = small;
    const text = wide(ctx, label) <= room ? label : align === "left" && room > 40 ? cut(ctx, label, room) : "";
    if (!text) continue;
    fitted++;
    ctx.fillStyle = view.ink.ink;
    ctx.fillText(text, align === "left" ? from + 3 : (from + to) / 2, row.y + row.h / 2 + 0.5);
  }
  return [fitted, seen];
}
function hint(ctx, view, row, [fitted, seen]) {
  if (seen < 4 || fitted > seen / 5) return;
  ctx.fillStyle = view.ink.paper;
  ctx.font = `10px ${FONT}`;
  const text = "zoom in to read", width = wide(ctx, text) + 12;
  ctx.fillRect(GUTTER + 2, row.y + 1, width, row.h - 2);
  ctx.fillStyle = view.ink.faint;
  ctx.textAlign = "left";
  ctx.fillText(text, GUTTER + 8, row.y + row.h / 2);
}
// labels at points, each cut off where the next begins
function labels(ctx, view, x, row, items, text, most = 400) {
  ctx.textAlign = "left";
  let free = -1e9;
  items.forEach((item, k) => {
    const a = x(item[0]);
    if (a < GUTTER - most || a > view.width || a < free) return;
    let next = k + 1;
    while (next < items.length && x(items[next][0]) - a < 2) next++;
    const room = Math.min(next < items.length ? x(items[next][0]) - a - 6 : most, most);
    const label = cut(ctx, text(item), Math.max(room, 26));
    if (!label) return;
    ctx.fillText(label, a + 3, row.y + row.h / 2);
    free = a + 3 + wide(ctx, label) + 3;
  });
}
function curve(ctx, view, x, row, values, colour) {
  const from = barOf(view.left), to = Math.min(barOf(view.right) + 1, values.length);
  ctx.fillStyle = colour;
  ctx.globalAlpha = 0.5;
  for (let bar = from; bar < to; bar++) {
    const h = values[bar] * row.h, a = x(BARS[bar]);
    ctx.fillRect(a, row.y + row.h - h, Math.max(x(BARS[bar + 1]) - a - 0.5, 0.5), h);
  }
  ctx.globalAlpha = 1;
  ctx.fillStyle = view.ink.rule;
  ctx.fillRect(GUTTER, row.y + row.h, view.width, 1);
}

const LANES = {
  picture(ctx, view, x, row) {
    ctx.font = `10px ${FONT}`;
    for (const [start, end, kind, label] of D.spans) {
      ctx.fillStyle = view.ink.accent;
      ctx.globalAlpha = 0.22;
      ctx.fillRect(x(start), row.y, x(end) - x(start), row.h);
      ctx.globalAlpha = 1;
      ctx.fillStyle = view.ink.ink;
      ctx.textAlign = "left";
      ctx.fillText(cut(ctx, label || kind, x(end) - x(start) - 6), Math.max(x(start), GUTTER) + 3, row.y + row.h - 7);
    }
    ctx.strokeStyle = view.ink.faint;
    for (const at of D.cuts) { ctx.strokeRect(x(at) - 1.5, row.y + row.h - 6, 3, 5); }
    for (const hit of D.hits) {
      ctx.strokeStyle = view.ink.accent;
      ctx.lineWidth = hit[3] === "hard" ? 1.6 : 1;
      ctx.setLineDash(hit[3] === "hard" ? [] : [4, 3]);
      ctx.beginPath();
      ctx.moveTo(x(hit[0]), row.y);
      ctx.lineTo(x(hit[0]), 1e4);
      ctx.stroke();
    }
    ctx.setLineDash([]);
    ctx.font = `600 10px ${FONT}`;
    ctx.fillStyle = view.ink.accent;
    labels(ctx, view, x, { y: row.y, h: 14 }, D.hits, (hit) => hit[2] || hit[1], 160);
  },
  marks(ctx, view, x, row) {
    ctx.font = `italic 11px ${FONT}`;
    ctx.fillStyle = view.ink.ink;
    labels(ctx, view, x, row, D.marks, (mark) => mark[1], 220);
  },
  form(ctx, view, x, row) {
    boxes(ctx, view, x, row, D.form, (item) => letterColour(item[2], view.ink.dark), `700 12px ${FONT}`);
  },
  phrases(ctx, view, x, row) {
    const tint = D.form.length ? () => view.ink.soft : (item) => letterColour(item[2], view.ink.dark);
    boxes(ctx, view, x, row, D.phrases, tint, `11px ${FONT}`);
  },
  keys(ctx, view, x, row) {
    boxes(ctx, view, x, row, D.keys, (key) => keyColour(key[3], key[2].endsWith("minor"), view.ink.dark), `600 11px ${FONT}`);
  },
  numerals(ctx, view, x, row) {
    const tint = () => view.ink.soft;
    hint(ctx, view, row, boxes(ctx, view, x, row, D.chords, tint, `600 12px ${FONT}`, "center", `600 9px ${FONT}`));
  },
  chords(ctx, view, x, row) {
    const items = D.chords.map((chord) => [chord[0], chord[1], chord[3]]);
    boxes(ctx, view, x, row, items, () => null, `10.5px ${FONT}`, "center", `8.5px ${FONT}`);
  },
  cadences(ctx, view, x, row) {
    ctx.font = `600 10px ${FONT}`;
    let free = -1e9;
    for (const [k, [at, , kind]] of D.cadences.entries()) {
      const next = k + 1 < D.cadences.length ? x(D.cadences[k + 1][0]) : 1e9;
      const a = x(at), text = CADENCE[kind] || kind;
      if (a < GUTTER - 60 || a > view.width) continue;
      ctx.fillStyle = view.ink.good;
      ctx.fillRect(Math.round(a), row.y, 2, row.h);
      if (a < free || a + 8 + wide(ctx, text) > next) continue;
      ctx.textAlign = "left";
      ctx.fillText(text, a + 5, row.y + row.h / 2 + 0.5);
      free = a + 8 + wide(ctx, text);
    }
  },
  dynamics(ctx, view, x, row) {
    ctx.strokeStyle = view.ink.faint;
    ctx.lineWidth = 1;
    for (const [start, end, kind] of D.hairpins) {
      if (end < view.left || start > view.right) continue;
      const a = x(start), b = x(end), middle = row.y + row.h / 2, tip = kind === "<" ? a : b, mouth = kind === "<" ? b : a;
      ctx.beginPath();
      ctx.moveTo(mouth, middle - 5);
      ctx.lineTo(tip, middle);
      ctx.lineTo(mouth, middle + 5);
      ctx.stroke();
    }
    ctx.font = `italic 700 12px Georgia,"Times New Roman",serif`;
    ctx.textAlign = "left";
    let free = -1e9, before = "";
    for (const [at, text] of D.dynamics) {
      const a = x(at);
      if (a < GUTTER - 30 || a > view.width || a < free || (text === before && a < free + 30)) continue;
      const width = wide(ctx, text);
      ctx.fillStyle = view.ink.paper;
      ctx.fillRect(a - 1, row.y + 2, width + 3, row.h - 4);
      ctx.fillStyle = view.ink.ink;
      ctx.fillText(text, a, row.y + row.h / 2);
      free = a + width + 5;
      before = text;
    }
  },
  loudness(ctx, view, x, row) { curve(ctx, view, x, row, D.loudness.map((v) => v / 127), view.ink.faint); },
  intensity(ctx, view, x, row) { curve(ctx, view, x, row, D.intensity.map((v) => v / 100), view.ink.accent); },
  tempo(ctx, view, x, row) {
    const low = Math.min(...TEMPI), high = Math.max(...TEMPI), pad = (high - low) * 0.15;
    const y = (bpm) => row.y + row.h - 2 - (row.h - 4) * (bpm - low + pad) / (high - low + 2 * pad);
    ctx.strokeStyle = view.ink.ink;
    ctx.lineWidth = 1.3;
    ctx.beginPath();
    D.tempo.forEach(([at, a, b], k) => {
      const end = k + 1 < D.tempo.length ? D.tempo[k + 1][0] : D.length;
      if (k) ctx.lineTo(x(at), y(a)); else ctx.moveTo(x(at), y(a));
      ctx.lineTo(x(end), y(b));
    });
    ctx.stroke();
    ctx.font = `10px ${FONT}`;
    let free = -1e9;
    for (const [at, bpm] of D.tempo) {
      const a = Math.max(x(at), GUTTER), text = `♩=${Math.round(bpm)}`;
      if (a > view.width || a < free || x(at) < GUTTER - 400) continue;
      ctx.fillStyle = view.ink.faint;
      ctx.textAlign = "left";
      ctx.fillText(text, a + 3, y(bpm) > row.y + row.h / 2 ? row.y + 6 : row.y + row.h - 6);
      free = a + wide(ctx, text) + 26;
    }
  },
  motif(ctx, view, x, row) {
    for (const [start, end, relation] of D.motifs[row.index].at) {
      if (end < view.left || start > view.right) continue;
      ctx.fillStyle = view.ink.good;
      ctx.globalAlpha = relation === "first" ? 1 : relation === "exact" ? 0.75 : 0.45;
      ctx.fillRect(x(start), row.y + 1, Math.max((end - start) * view.scale - 1, 2), row.h - 2);
    }
    ctx.globalAlpha = 1;
  },
};
