// The dashboard: two streams of server-sent events, and what they say put into the page. Texts go in as text, never as HTML.
"use strict";

const CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx"];
const SECONDS = 300;        // of the charts
const LINES = 200;          // of the log
const points = [];
let last = null;            // the last event
let drawn = null;           // which configuration the picture shows

const find = (id) => document.getElementById(id);

function made(name, className, ...children) {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

function drawnElement(name, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

// ---- how numbers are written

function count(value) {
  if (value >= 1e6) return `${(value / 1e6).toPrecision(3)} M`;
  if (value >= 1e4) return `${(value / 1e3).toPrecision(3)} k`;
  return value >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toPrecision(value < 1 ? 1 : 2);
}

function duration(seconds) {
  if (typeof seconds !== "number") return "–"; // a log may hide it
  if (seconds < 0.001) return `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 1) return `${Number((seconds * 1e3).toPrecision(3))} ms`;
  return `${Number(seconds.toPrecision(3))} s`;
}

function ago(seconds) {
  seconds = Math.max(0, Math.round(seconds));
  for (const [size, name] of [[86400, "d"], [3600, "h"], [60, "min"]]) {
    if (seconds >= size) return `${Math.floor(seconds / size)} ${name}`;
  }
  return `${seconds} s`;
}

const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString([], {hour12: false});

// ---- charts

function ceiling(value) {
  // The next of 1, 2, 5, 10, 20, 50 …
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value) || 1;
}

// A chart of the last five minutes: `layers` are functions of a point, drawn on top of each other.
function chart(box, layers, label) {
  const width = Math.max(box.clientWidth, 240), height = Math.max(box.clientHeight, 120);
  const left = 44, right = width - 8, top = 10, bottom = height - 22;
  const end = last ? last.time : Date.now() / 1000, start = end - SECONDS;
  const shown = points.filter((point) => point.time >= start);
  const most = ceiling(Math.max(1, ...shown.map((point) => layers.reduce((sum, layer) => sum + layer.value(point), 0))));
  const x = (time) => left + (right - left) * (time - start) / SECONDS;
  const y = (value) => bottom - (bottom - top) * value / most;
  const svg = drawnElement("svg", {viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label});
  for (const share of [0, 0.5, 1]) {
    const at = y(most * share);
    svg.append(
      drawnElement("line", {class: share ? "grid" : "axis", x1: left, x2: right, y1: at, y2: at}),
      drawnElement("text", {x: left - 7, y: at + 4, "text-anchor": "end"}, count(most * share)));
  }
  for (let minute = 0; minute <= 5; minute += 1) {
    const at = x(end - minute * 60), named = width >= 420 || minute % 2 === 0;
    svg.append(
      drawnElement("line", {class: "axis", x1: at, x2: at, y1: bottom, y2: bottom + 4}));
    if (!named) continue;
    svg.append(drawnElement("text", {x: at, y: height - 4, "text-anchor": minute ? (minute === 5 ? "start" : "middle") : "end"},
      minute ? `−${minute} min` : "now"));
  }
  const base = shown.map(() => 0);
  for (const layer of layers) {
    const lower = [...base];
    shown.forEach((point, number) => { base[number] += layer.value(point); });
    for (const [from, to] of runs(shown)) {
      const upper = [];
      for (let number = from; number <= to; number += 1) upper.push(`${x(shown[number].time).toFixed(1)},${y(base[number]).toFixed(1)}`);
      const under = [];
      for (let number = to; number >= from; number -= 1) under.push(`${x(shown[number].time).toFixed(1)},${y(lower[number]).toFixed(1)}`);
      svg.append(drawnElement("polygon", {class: layer.area, points: [...upper, ...under].join(" ")}));
      if (layer.curve) svg.append(drawnElement("polyline", {class: layer.curve, points: upper.join(" ")}));
    }
  }
  box.replaceChildren(svg);
}

// Where points follow one another without a gap: nothing is drawn for the time in which nobody looked.
function runs(shown) {
  const found = [];
  let from = 0;
  shown.forEach((point, number) => {
    const next = shown[number + 1];
    if (!next || next.time - point.time > 5) {
      found.push([from, number]);
      from = number + 1;
    }
  });
  return found;
}

function charts() {
  const now = points.at(-1), most = Math.max(0, ...points.map((point) => point.rate));
  const rate = now ? `${count(now.rate)} requests per second now, at most ${count(most)} in the last five minutes` : "no data yet";
  chart(find("chart-rate"), [{value: (point) => point.rate, area: "area", curve: "curve"}], rate);
  const said = now ? CLASSES.map((name) => `${name}: ${count(now.classes[name])} per second`).join(", ") : "no data yet";
  chart(find("chart-classes"), CLASSES.map((name) => ({value: (point) => point.classes[name], area: `c${name[0]}`})), said);
}

// ---- what each event says

function show(state) {
  last = state;
  if (state.point) {
    points.push(state.point);
    if (points.length > SECONDS) points.shift();
  }
  badge(state.ready ? "ready" : "not ready", state.ready ? "good" : "warn");
  find("version").textContent = state.version;
  find("facts").textContent = `${state.addresses.join(", ")} · up ${ago(state.time - state.started)} · ` +
    `${count(state.requests)} requests`;
  find("rate").textContent = state.point ? count(state.point.rate) : "–";
  find("in-flight").textContent = `${count(state.in_flight)} in flight`;
  legend(state.point);
  charts();
  rows("routes", state.routes, routeRow);
  upstreams(state.upstreams);
  rows("workers", state.workers, workerRow);
  configuration(state);
  document.title = `${state.ready ? "" : "⚠ "}edge · ${state.point ? count(state.point.rate) : "–"}/s`;
}

function badge(text, tone) {
  const state = find("state");
  if (state.textContent !== text) state.textContent = text; // it is read aloud when it changes
  state.className = `badge ${tone}`;
}

function legend(point) {
  find("legend").replaceChildren(...CLASSES.filter((name) => name !== "1xx" || (point && point.classes[name])).map((name) =>
    made("li", "", made("i", `c${name[0]}`), `${name} `, made("b", "", point ? count(point.classes[name]) : "–"))));
}

function rows(id, items, row) {
  find(id).replaceChildren(...items.map(row));
  find(id).parentElement.hidden = !items.length;
  find(`${id}-empty`).hidden = Boolean(items.length);
}

const cell = (text, className = "number") => made("td", className, String(text));

function routeRow(route) {
  const name = made("td", "", made("span", "", route.route || "–"));
  if (route.site) name.append(made("small", "", route.site));
  name.title = `${route.route} ${route.site}`; // long ones are shortened
  const row = made("tr", "", name, cell(count(route.rate)),
    cell(count(route.errors), route.errors ? "number wide bad-text" : "number wide"),
    cell(duration(route.p50), "number wide"), cell(duration(route.p95)));
  if (!route.lately) row.classList.add("muted");
  return row;
}

function workerRow(worker) {
  const tone = {ready: "good", dead: "bad"}[worker.state] || "warn";
  const state = made("td", "", made("span", `badge ${tone}`, worker.state));
  if (worker.reason) state.append(made("small", "", `${worker.state === "dead" ? "" : "the last one "}${worker.reason}`));
  return made("tr", "", cell(worker.number), state, cell(worker.pid || "–"), cell(worker.restarts),
    cell(ago(last.time - worker.since), "number wide"), cell(duration(worker.delay)));
}

// Rows with controls are kept: one that is made anew each second could not be used.
function upstreams(items) {
  const body = find("upstreams"), there = new Map([...body.children].map((row) => [row.dataset.address, row]));
  const wanted = items.map((item) => {
    const row = there.get(item.address) || upstreamRow(item.address);
    const [state, busy, idle, failures, latency] = row.shown;
    state.textContent = item.drained ? "drained" : "";
    state.hidden = !item.drained;
    busy.textContent = item.in_use + (item.waiting ? ` +${item.waiting}` : "");
    idle.textContent = item.idle;
    failures.textContent = count(item.failures);
    failures.classList.toggle("bad-text", item.failures > 0);
    latency.textContent = duration(item.latency && item.latency.p95);
    if (document.activeElement !== row.weight) row.weight.value = item.weight;
    row.drain.textContent = item.drained ? "Use again" : "Drain";
    row.drained = item.drained;
    return row;
  });
  if (wanted.length !== body.children.length || wanted.some((row, number) => row !== body.children[number])) {
    body.replaceChildren(...wanted);
  }
  body.parentElement.hidden = !items.length;
  find("upstreams-empty").hidden = Boolean(items.length);
}

function upstreamRow(address) {
  const state = made("span", "badge warn"), cells = ["number", "number wide", "number wide", "number"].map((name) => made("td", name));
  const weight = made("input", "weight"), drain = made("button", "", "Drain");
  Object.assign(weight, {type: "number", min: 1, max: 100});
  weight.setAttribute("aria-label", `Weight of ${address}`);
  drain.type = "button";
  const row = made("tr", "", made("td", "", made("span", "mono", address), " ", state), ...cells,
    made("td", "number wide", weight), made("td", "number", drain));
  row.dataset.address = address;
  Object.assign(row, {shown: [state, ...cells], weight, drain, drained: false});
  drain.setAttribute("aria-label", `Drain ${address}, or use it again`);
  drain.addEventListener("click", () => change(drain, "/upstreams", {address, drained: !row.drained}));
  weight.addEventListener("change", () => {
    if (weight.reportValidity()) change(weight, "/upstreams", {address, weight: weight.valueAsNumber});
  });
  return row;
}

function configuration(state) {
  const {number, name, when, source} = state.config;
  find("config").textContent = `${name}, number ${number}, in use for ${ago(state.time - when)} (${source})`;
  if (state.reload) outcome(state.reload);
  if (drawn !== number) {
    drawn = number;
    find("graph").src = `/graph?number=${number}`;
  }
}

function outcome(applied) {
  const said = applied.done
    ? `The last reload was applied${applied.problems.length ? ", with warnings" : ""}.`
    : `The last reload changed nothing: ${applied.reason || "the Edgefile has errors"}.`;
  const shown = JSON.stringify(applied);
  if (find("outcome").dataset.shown === shown) return;
  find("outcome").dataset.shown = shown;
  find("outcome").replaceChildren(made("p", applied.done ? "" : "bad-text", said));
  find("problems").replaceChildren(...applied.problems.map((problem) => {
    const place = problem.file ? `${problem.file}:${problem.line}:${problem.column}` : "";
    const item = made("li", problem.severity, made("strong", "", problem.code), ` ${problem.message}`);
    item.append(made("small", "", [place, problem.hint].filter(Boolean).join(" · ")));
    return item;
  }));
}

// ---- what can be done

async function change(control, path, value) {
  control.disabled = true;
  try {
    const sent = value === undefined ? {} : {body: JSON.stringify(value), headers: {"Content-Type": "application/json"}};
    const response = await fetch(path, {method: "POST", ...sent});
    const answer = await response.json();
    if (answer.problems === undefined && !response.ok) throw new Error(answer.detail);
    return answer;
  } catch (error) {
    find("outcome").dataset.shown = "";
    find("outcome").replaceChildren(made("p", "bad-text", `${path} failed: ${error.message}`));
    return null;
  } finally {
    control.disabled = false;
  }
}

find("reload").addEventListener("click", async () => {
  const answer = await change(find("reload"), "/reload");
  if (answer) outcome({done: answer.done, reason: answer.done ? "" : answer.detail.replace(/^nothing has changed: /, ""), problems: answer.problems});
  find("reload").focus();
});

// ---- the log

let logs = null;

function listen() {
  logs?.close();
  logs = null;
  if (find("log-pause").getAttribute("aria-pressed") === "true" || document.hidden) return;
  const asked = [...new FormData(find("log-filter"))].filter(([, value]) => value.trim());
  logs = new EventSource(`/logs?${new URLSearchParams(asked)}`);
  logs.onmessage = (message) => line(message.data);
  logs.onerror = () => {
    if (logs?.readyState === EventSource.CLOSED) setTimeout(listen, 3000); // as below
  };
  logs.addEventListener("dropped", (message) => add(made("li", "plain bad-text", `… ${message.data} lines were not shown`)));
}

function line(text) {
  let entry = null;
  try { entry = JSON.parse(text); } catch { /* another format: shown as it is */ }
  if (entry === null || typeof entry !== "object" || !("status" in entry)) {
    add(made("li", "plain", text));
    return;
  }
  const when = typeof entry.ts === "number" ? entry.ts : Date.parse(entry.ts) / 1000;
  const at = Number.isFinite(when) ? clock(when) : "";
  add(made("li", "", made("span", "time", at), made("span", `s${String(entry.status)[0]}`, String(entry.status)),
    made("span", "", entry.method ?? ""), made("span", "what", `${entry.host ?? ""}${entry.uri ?? entry.path ?? ""}`),
    made("span", "took", duration(entry.duration))));
}

function add(item) {
  const log = find("log");
  log.prepend(item);
  while (log.children.length > LINES) log.lastChild.remove();
  find("log-empty").hidden = true;
}

find("log-filter").addEventListener("change", () => { find("log").replaceChildren(); find("log-empty").hidden = false; listen(); });
find("log-filter").addEventListener("submit", (event) => event.preventDefault());
find("log-pause").addEventListener("click", (event) => {
  const paused = event.target.getAttribute("aria-pressed") !== "true";
  event.target.setAttribute("aria-pressed", String(paused));
  listen();
});

// ---- the streams

let events = null;

// A hidden page has none: a browser has six connections for all pages of one server.
function connect() {
  events?.close();
  events = null;
  if (document.hidden) return;
  events = new EventSource("/events");
  events.onmessage = (message) => show(JSON.parse(message.data));
  events.addEventListener("history", (message) => { points.splice(0, points.length, ...JSON.parse(message.data)); });
  events.onerror = () => {
    badge("not connected", "bad");
    if (events?.readyState === EventSource.CLOSED) setTimeout(connect, 3000); // it does not try again after a refusal
  };
}

find("graph").addEventListener("error", () => { find("graph").hidden = true; find("graph-empty").hidden = false; });
find("graph").addEventListener("load", () => { find("graph").hidden = false; find("graph-empty").hidden = true; });
document.addEventListener("visibilitychange", () => { connect(); listen(); });
new ResizeObserver(charts).observe(find("chart-rate"));
legend(null);
for (const id of ["routes", "upstreams", "workers"]) find(id).parentElement.hidden = true;
connect();
listen();
