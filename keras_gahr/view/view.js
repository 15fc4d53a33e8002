"use strict";

// Keeps the parts of a page as they were received, before anything below changes them.
const received = new Map();
function remember(container) {
  for (const part of container.children) {
    if (!part.id) continue;
    if ("parts" in part.dataset) remember(part);
    else received.set(part.id, part.outerHTML);
  }
}
remember(document.getElementById("main"));

// ---------------------------------------------------------------------------------------- curves

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = { left: 68, right: 14, top: 12, bottom: 46 };
const CHARACTER = 7.5;  // Wide enough for one in the texts of ticks.
const MOST_DOTS = 60;
const looks = new Map();  // From the id of a figure to how it is looked at, also when it is replaced.

function drawing(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function shownNumber(value, digits = 5) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3)
    return value.toExponential(digits - 1).replace(/\.?0+e/, "e").replace("e+", "e");
  return String(Number(value.toPrecision(digits)));
}

// A multiple of a step, which has two digits or fewer, with all of its digits but those of rounding.
function shownMultiple(value, step) {
  const apart = Math.floor(Math.log10(Math.abs(value))) - Math.floor(Math.log10(step));
  return shownNumber(value, Math.min(Math.max(apart + 3, 5), 15));
}

// One axis: numbers are drawn where `to` puts them, and `ticks` are pairs of such a place and a text.
function axis(logarithmic) {
  return {
    to: logarithmic ? Math.log10 : (value) => value,
    from: logarithmic ? (value) => 10 ** value : (value) => value,
    takes: (value) => value !== null && Number.isFinite(value) && (!logarithmic || value > 0),
    // What lies closer together differs by rounding alone.
    finest: (low, high) => 1e-12 * Math.max(Math.abs(low), Math.abs(high), logarithmic ? 1 : 0),
    around: (place) => logarithmic ? 0.5 : Math.abs(place) * 0.1 || 1,
    ticks(low, high, most) {
      if (logarithmic && high - low > 0.7) {
        const digits = high - low < 2.5 ? [1, 2, 5] : [1];
        const every = Math.max(1, Math.ceil((high - low) / most));
        const found = [];
        for (let power = Math.floor(low); power <= high; power += every)
          for (const digit of digits) found.push(power + Math.log10(digit));
        return found.filter((place) => place >= low && place <= high)
          .map((place) => [place, shownNumber(this.from(place))]);
      }
      const [first, last] = [this.from(low), this.from(high)];
      const rough = (last - first) / most;
      const power = 10 ** Math.floor(Math.log10(rough));
      const step = power * [1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough);
      const begin = Math.ceil(first / step);
      const found = [];
      // Where numbers have no digits left for a step, adding one to `begin` changes nothing.
      for (let k = 0; k <= 2 * most && (begin + k) * step <= last; k++) {
        const value = (begin + k) * step;
        found.push([this.to(value), shownMultiple(value, step)]);
      }
      return found.filter(([place]) => Number.isFinite(place));
    },
  };
}

// The number of a value among those of a slider, or of the one nearest to it; values begin with a number,
// or there is none near, and it is the last.
function placeOf(value, values) {
  const same = values.indexOf(value);
  if (same >= 0) return same;
  const number = (text) => parseFloat(text.replaceAll(",", ""));
  const far = values.map((each) => Math.abs(number(each) - number(value)));
  const nearest = far.indexOf(Math.min(...far));
  return nearest >= 0 ? nearest : values.length - 1;
}

function startCurves(figure) {
  const curves = JSON.parse(figure.dataset.curves);
  const plot = figure.querySelector(".plot");
  const control = figure.querySelector(".control");
  const [input, output] = [control.querySelector("input"), control.querySelector("output")];
  const axes = { x: axis(curves.log_x), y: axis(curves.log_y) };
  const before = looks.get(figure.id);
  const look = before ?? { zoom: null, hidden: new Set(), value: null };
  looks.set(figure.id, look);

  const last = curves.frames.length - 1;
  // Who looks at the last frame goes on to the one that follows it.
  input.value = look.value === null ? last : placeOf(look.value, curves.values);
  control.hidden = last < 1;

  const tools = document.createElement("div");
  tools.className = "tools";
  for (const [text, name, act] of [
    ["+", "Zoom in", () => zoom(1 / 1.5)],
    ["\u2212", "Zoom out", () => zoom(1.5)],
    ["All", "Show all", () => show(null)],
  ]) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.setAttribute("aria-label", `${name}: ${curves.title}`);
    button.addEventListener("click", act);
    tools.append(button);
  }
  const legend = document.createElement("ul");
  legend.className = "legend";
  const readout = document.createElement("p");
  readout.className = "readout";
  readout.setAttribute("aria-hidden", "true");
  plot.before(tools);
  plot.after(legend, readout);
  plot.hidden = false;
  plot.setAttribute("role", "application");
  plot.setAttribute("aria-label",
    `${curves.title}: ${curves.y} against ${curves.x}. Plus and minus zoom, arrows move, 0 shows all; `
    + "the numbers are in the table below.");

  const names = [...new Set(curves.frames.flat().map((line) => line.name))];
  names.forEach((name, k) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(drawing("svg", { width: 28, height: 10, "aria-hidden": "true" },
      drawing("line", { x1: 1, x2: 27, y1: 5, y2: 5, class: `curve line-${k % 8}` })), name);
    button.setAttribute("aria-pressed", String(!look.hidden.has(name)));
    button.addEventListener("click", () => {
      if (!look.hidden.delete(name)) look.hidden.add(name);
      button.setAttribute("aria-pressed", String(!look.hidden.has(name)));
      draw();
    });
    const item = document.createElement("li");
    item.append(button);
    legend.append(item);
  });

  // What all frames take, so that the axes stay as the slider moves.
  function whole() {
    const lines = curves.frames.flat().filter((line) => !look.hidden.has(line.name));
    const ends = {};
    for (const name of ["x", "y"]) {
      const { takes, to, finest, around } = axes[name];
      let [low, high] = [Infinity, -Infinity];
      const include = (values, least = -Infinity, most = Infinity) => {
        for (const value of values) {
          if (!takes(value) || to(value) < least || to(value) > most) continue;
          low = Math.min(low, to(value));
          high = Math.max(high, to(value));
        }
      };
      for (const line of lines) include(line[name]);
      // A band may go far: the curve itself decides, and the band's ends where they are near.
      if (name === "y") {
        const [near, least, most] = [high - low > finest(low, high) ? high - low : Infinity, low, high];
        for (const line of lines) include([...line.low, ...line.high], least - near, most + near);
      }
      if (!(high >= low)) [low, high] = [0, 1];
      const room = high - low > finest(low, high) ? (high - low) * (name === "y" ? 0.06 : 0.02) : around(high);
      ends[name] = [low - room, high + room];
    }
    return ends;
  }

  function show(ends) {
    look.zoom = ends;
    draw();
  }

  // Ranges are moved into what there is; what shows all of it is no zoom.
  function within(wanted) {
    const all = whole();
    const ends = {};
    let larger = 0;
    for (const name of ["x", "y"]) {
      const most = all[name][1] - all[name][0];
      let [low, high] = wanted[name];
      const span = Math.min(Math.max(high - low, most * 1e-6, axes[name].finest(...all[name])), most);
      low = Math.min(Math.max((low + high - span) / 2, all[name][0]), all[name][1] - span);
      ends[name] = [low, low + span];
      larger += span >= most * 0.999;
    }
    return larger === 2 ? null : ends;
  }

  // At a place in the plot, from 0 to 1 from the left and from below.
  function zoom(factor, place = { x: 0.5, y: 0.5 }) {
    const ends = look.zoom ?? whole();
    const wanted = {};
    for (const name of ["x", "y"]) {
      const [low, high] = ends[name];
      const fixed = low + place[name] * (high - low);
      wanted[name] = [fixed + factor * (low - fixed), fixed + factor * (high - fixed)];
    }
    show(within(wanted));
  }

  function move(x, y) {
    const ends = look.zoom ?? whole();
    const by = { x, y };
    const wanted = {};
    for (const name of ["x", "y"]) {
      const step = by[name] * (ends[name][1] - ends[name][0]);
      wanted[name] = ends[name].map((end) => end + step);
    }
    show(look.zoom && within(wanted));
  }

  let box = null;
  function draw(chosen = null) {
    const width = Math.max(plot.clientWidth, 200);
    const height = Math.round(Math.min(Math.max(width * 0.52, 230), 420));
    const ends = look.zoom ?? whole();
    const inner = { y: height - MARGIN.top - MARGIN.bottom };
    const rows = axes.y.ticks(...ends.y, Math.max(3, inner.y / 36));
    const left = Math.max(MARGIN.left, 30 + CHARACTER * Math.max(...rows.map(([, text]) => text.length)));
    inner.x = width - left - MARGIN.right;
    const at = {
      x: (place) => left + (place - ends.x[0]) / (ends.x[1] - ends.x[0]) * inner.x,
      y: (place) => MARGIN.top + inner.y - (place - ends.y[0]) / (ends.y[1] - ends.y[0]) * inner.y,
    };
    box = { width, height, left, inner, ends, at };

    const svg = drawing("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
    // Of texts that would overlap, or leave the picture, the first ones are there.
    let free = 0;
    for (const [place, text] of axes.x.ticks(...ends.x, Math.max(2, inner.x / 75))) {
      const [x, half] = [at.x(place), CHARACTER * text.length / 2];
      svg.append(drawing("line", { x1: x, x2: x, y1: MARGIN.top, y2: MARGIN.top + inner.y, class: "grid" }));
      if (x - half < free || x + half > width) continue;
      svg.append(drawing("text", { x, y: MARGIN.top + inner.y + 20, "text-anchor": "middle" }, text));
      free = x + half + CHARACTER;
    }
    for (const [place, text] of rows) {
      const y = at.y(place);
      svg.append(
        drawing("line", { x1: left, x2: left + inner.x, y1: y, y2: y, class: "grid" }),
        drawing("text", { x: left - 7, y: y + 4, "text-anchor": "end" }, text));
    }
    svg.append(
      drawing("text", { x: left + inner.x / 2, y: height - 8, "text-anchor": "middle", class: "title" },
        curves.x),
      drawing("text", { x: 14, y: MARGIN.top + inner.y / 2, "text-anchor": "middle", class: "title",
        transform: `rotate(-90 14 ${MARGIN.top + inner.y / 2})` }, curves.y));

    // A picture within the picture cuts off what lies outside of the axes.
    const inside = drawing("svg", { x: left, y: MARGIN.top, width: inner.x, height: inner.y,
      viewBox: `${left} ${MARGIN.top} ${inner.x} ${inner.y}` });
    for (const line of curves.frames[Number(input.value)]) {
      if (look.hidden.has(line.name)) continue;
      const kind = `line-${names.indexOf(line.name) % 8}`;
      if (line.low.length) inside.append(drawing("path", { d: band(line), class: `band ${kind}` }));
      const points = places(line.x, line.y);
      inside.append(drawing("path", { d: way(points), class: `curve ${kind}` }));
      if (points.filter(Boolean).length <= MOST_DOTS)
        for (const point of points)
          if (point) inside.append(drawing("circle", { cx: point[0], cy: point[1], r: 3, class: kind }));
    }
    if (chosen?.area) inside.append(drawing("rect", { ...chosen.area, class: "chosen" }));
    if (chosen?.point)
      inside.append(drawing("circle", { cx: chosen.point[0], cy: chosen.point[1], r: 6, class: "chosen" }));
    svg.append(inside, drawing("rect", { x: left, y: MARGIN.top, width: inner.x, height: inner.y,
      class: "frame" }));
    plot.replaceChildren(svg);
    plot.dataset.zoomed = String(look.zoom !== null);
  }

  function places(xs, ys) {
    return xs.map((x, k) => axes.x.takes(x) && axes.y.takes(ys[k])
      ? [box.at.x(axes.x.to(x)), box.at.y(axes.y.to(ys[k]))] : null);
  }

  function way(points) {
    let text = "";
    let broken = true;
    for (const point of points) {
      if (point) text += `${broken ? "M" : "L"}${point[0].toFixed(2)} ${point[1].toFixed(2)}`;
      broken = !point;
    }
    return text;
  }

  function band(line) {
    // On a logarithmic axis a band that reaches zero goes down to the edge.
    const floor = axes.y.from(box.ends.y[0] - 1);
    const low = line.low.map((value) => value !== null && !axes.y.takes(value) ? floor : value);
    const edge = [...places(line.x, low), ...places(line.x, line.high).reverse()].filter(Boolean);
    return edge.length ? `${way(edge)}Z` : "";
  }

  input.addEventListener("input", () => {
    const value = curves.values[Number(input.value)];
    look.value = Number(input.value) === last ? null : value;
    output.textContent = value;
    input.setAttribute("aria-valuetext", value);
    draw();
  });
  output.textContent = curves.values[Number(input.value)];
  input.setAttribute("aria-valuetext", output.textContent);

  plot.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const acts = {
      "+": () => zoom(1 / 1.5), "=": () => zoom(1 / 1.5), "-": () => zoom(1.5), 0: () => show(null),
      ArrowLeft: () => move(-0.15, 0), ArrowRight: () => move(0.15, 0),
      ArrowDown: () => move(0, -0.15), ArrowUp: () => move(0, 0.15),
    };
    // Of all of the curves nothing can be moved, and the arrows scroll the page.
    if (!acts[event.key] || (event.key.startsWith("Arrow") && !look.zoom)) return;
    event.preventDefault();
    acts[event.key]();
  });

  function inPlot(event) {
    const area = plot.getBoundingClientRect();
    const [x, y] = [event.clientX - area.left, event.clientY - area.top];
    return {
      pixel: [x, y],
      x: Math.min(Math.max((x - box.left) / box.inner.x, 0), 1),
      y: Math.min(Math.max(1 - (y - MARGIN.top) / box.inner.y, 0), 1),
    };
  }

  // A wheel that only passes by scrolls the page.
  plot.addEventListener("wheel", (event) => {
    if (document.activeElement !== plot && !event.ctrlKey) return;
    event.preventDefault();
    zoom(Math.exp(Math.sign(event.deltaY) * 0.25), inPlot(event));
  }, { passive: false });
  plot.addEventListener("dblclick", () => show(null));

  const held = new Map();
  plot.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    plot.setPointerCapture(event.pointerId);
    held.set(event.pointerId, { start: inPlot(event), now: inPlot(event) });
  });
  plot.addEventListener("pointermove", (event) => {
    const pointer = held.get(event.pointerId);
    const now = inPlot(event);
    if (!pointer) return point(now);
    const other = [...held.values()].find((each) => each !== pointer);
    if (other) {
      const apart = (one) => Math.hypot(one.pixel[0] - other.now.pixel[0], one.pixel[1] - other.now.pixel[1]);
      const middle = { x: (now.x + other.now.x) / 2, y: (now.y + other.now.y) / 2 };
      if (apart(now) > 5) zoom(apart(pointer.now) / apart(now), middle);
    } else if (event.pointerType === "mouse") {
      const [[x0, y0], [x1, y1]] = [pointer.start.pixel, now.pixel];
      draw({ area: { x: Math.min(x0, x1), y: Math.min(y0, y1),
        width: Math.abs(x1 - x0), height: Math.abs(y1 - y0) } });
    } else if (look.zoom) move(pointer.now.x - now.x, 0);
    pointer.now = now;
    return undefined;
  });
  const release = (event) => {
    const pointer = held.get(event.pointerId);
    held.delete(event.pointerId);
    if (!pointer || event.pointerType !== "mouse" || event.type !== "pointerup") return draw();
    const { start, now } = pointer;
    if (Math.abs(start.pixel[0] - now.pixel[0]) < 6 || Math.abs(start.pixel[1] - now.pixel[1]) < 6) return draw();
    const wanted = {};
    for (const name of ["x", "y"]) {
      const [low, high] = box.ends[name];
      wanted[name] = [start[name], now[name]].sort((a, b) => a - b).map((part) => low + part * (high - low));
    }
    return show(within(wanted));
  };
  plot.addEventListener("pointerup", release);
  plot.addEventListener("pointercancel", release);
  plot.addEventListener("pointerleave", () => { if (!held.size) { readout.textContent = ""; draw(); } });

  // Says which point is nearest.
  function point(place) {
    let best = null;
    for (const line of curves.frames[Number(input.value)]) {
      if (look.hidden.has(line.name)) continue;
      places(line.x, line.y).forEach((at, k) => {
        const distance = at && Math.hypot(at[0] - place.pixel[0], at[1] - place.pixel[1]);
        if (at && distance < (best?.distance ?? 40)) best = { distance, at, line, k };
      });
    }
    readout.textContent = best
      ? `${best.line.name}: ${shownNumber(best.line.y[best.k])} at ${shownNumber(best.line.x[best.k])}` : "";
    draw(best && { point: best.at });
  }

  draw();
  new ResizeObserver(() => { if (plot.clientWidth && plot.clientWidth !== box.width) draw(); }).observe(plot);
}

// --------------------------------------------------------------------------------------- sliders

// Plays the pictures of a slider one after another.
function addPlay(slider) {
  const input = slider.querySelector("input");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "play";
  let timer = null;
  const stop = () => { clearInterval(timer); timer = null; button.textContent = "Play"; };
  const step = () => {
    const image = slider.querySelector(".frames > li:not([hidden]) img");
    if (image.complete) {
      input.value = Number(input.value) + 1;
      input.dispatchEvent(new Event("input"));
    }
    if (!slider.isConnected || Number(input.value) === Number(input.max)) stop();
  };
  button.addEventListener("click", () => {
    if (timer !== null) return stop();
    if (Number(input.value) === Number(input.max)) input.value = -1;
    timer = setInterval(step, 150);
    button.textContent = "Pause";
    return step();
  });
  stop();
  slider.querySelector(".control").append(button);
}

function start(part) {
  for (const figure of part.querySelectorAll("figure.curves")) startCurves(figure);
  for (const slider of part.querySelectorAll("figure.slider")) addPlay(slider);
  const form = document.getElementById("filters");
  if (form?.hidden) startFilters(form);
}

// ------------------------------------------------------------------------------ the list of results

function filter() {
  if (!document.getElementById("filters")) return;
  const words = document.getElementById("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const kind = document.getElementById("kind").value;
  const list = document.getElementById("results");
  const cards = [...list.children];
  for (const card of cards) {
    const text = card.textContent.toLowerCase();
    card.hidden = (kind && card.dataset.kind !== kind) || !words.every((word) => text.includes(word));
  }
  const byTime = document.getElementById("order").value === "time";
  const sorted = [...cards].sort((a, b) => byTime
    ? b.dataset.changed - a.dataset.changed || a.id.localeCompare(b.id) : a.dataset.place - b.dataset.place);
  if (sorted.some((card, k) => card !== cards[k])) list.append(...sorted);
  document.getElementById("count").textContent =
    `${cards.filter((card) => !card.hidden).length} of ${cards.length}`;
}
function startFilters(form) {
  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
}

// Tells the cards of this page their order by name, which is that in a page as it was received.
function numberCards(page) {
  page.querySelectorAll("#results > li").forEach((card, k) => {
    document.getElementById(card.id).dataset.place = k;
  });
}

start(document);
numberCards(document);
filter();

// ---------------------------------------------------------------------------- following the files

// Remembers what is chosen, open and focused in a part, and puts it into the one that replaces it.
function keeping(part) {
  const filtered = [...part.querySelectorAll("#search, #kind, #order")].map((each) => [each.id, each.value]);
  const chosen = [...part.querySelectorAll("figure.slider")].map((slider) =>
    [slider.querySelector("input").id, slider.querySelector(".frames > li:not([hidden])").dataset.value]);
  const open = new Map([...named(part, "details")].map(([name, details]) => [name, details.open]));
  const controls = "a, button, input, select, summary, [tabindex]";
  const focused = [...named(part, controls)].find(([, control]) => control === document.activeElement)?.[0];
  return (fresh) => {
    for (const [id, value] of filtered) {
      const control = document.getElementById(id);
      control.value = value;
      // A kind may be there no more.
      if (control.value !== value) control.value = "";
    }
    for (const [id, value] of chosen) {
      const input = document.getElementById(id);
      const frames = input?.closest("figure.slider")?.querySelectorAll(".frames > li") ?? [];
      if (!frames.length) continue;
      input.value = placeOf(value, [...frames].map((frame) => frame.dataset.value));
      input.dispatchEvent(new Event("input"));
    }
    for (const [name, details] of named(fresh, "details")) details.open = open.get(name) ?? false;
    if (focused) named(fresh, controls).get(focused)?.focus({ preventScroll: true });
  };
}

// Elements by the ids that they are in and their numbers among these, which stay as others come and go.
function named(part, selector) {
  const counts = {};
  return new Map([...part.querySelectorAll(selector)].map((each) => {
    const { id } = each.closest("[id]");
    counts[id] = (counts[id] ?? 0) + 1;
    return [`${id} ${counts[id]}`, each];
  }));
}

// Makes the parts of a container those of a fresh one, and leaves alone what has not changed.
function update(container, fresh) {
  const wanted = [...fresh.children].filter((part) => part.id);
  const names = new Set(wanted.map((part) => part.id));
  for (const part of [...container.children])
    if (part.id && !names.has(part.id)) {
      part.remove();
      received.delete(part.id);
    }
  let before = null;
  for (const part of wanted) {
    const text = part.outerHTML;
    let old = [...container.children].find((each) => each.id === part.id);
    if (old && "parts" in old.dataset) update(old, part);
    else if (!old || received.get(part.id) !== text) {
      const made = document.importNode(part, true);
      const keep = old && keeping(old);
      if (old) old.replaceWith(made);
      else if (before) before.after(made);
      else container.prepend(made);
      received.set(part.id, text);
      start(made);
      made.querySelectorAll("figure.slider").forEach(startSlider);
      keep?.(made);
      old = made;
    }
    before = old;
  }
}

const following = document.getElementById("following");
let tag = null;

// Makes this page what it is now, and returns what there is to say of the server.
async function looked() {
  let answer;
  let text;
  try {
    answer = await fetch(location.pathname,
      { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
    text = await answer.text();
  } catch {
    return "The server has ended: what is shown here is of before.";
  }
  if (answer.status === 304) return "";
  if (answer.status !== 200) return "The server shows this no more: what is shown here is of before.";
  const fresh = new DOMParser().parseFromString(text, "text/html");
  update(document.getElementById("main"), fresh.getElementById("main"));
  numberCards(fresh);
  filter();
  tag = answer.headers.get("ETag");
  return "";
}

async function follow() {
  const began = performance.now();
  try {
    const said = document.hidden ? following.textContent : await looked();
    if (following.textContent !== said) following.textContent = said;
  } finally {
    // Whatever takes long is asked for less often.
    setTimeout(follow, Math.max(1500, 10 * (performance.now() - began)));
  }
}
setTimeout(follow, 1500);
