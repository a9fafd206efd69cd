/** The page: joins the connection, the scene, the gauges and the controls. */

import { Bar, Hands } from "./bar";
import { Charts } from "./charts";
import { Link } from "./link";
import { TripMap } from "./map2d";
import { $, Panel, put } from "./panel";
import { Scene2D } from "./scene2d";
import { Scene3D, type Camera, type View } from "./scene3d";
import { Sound } from "./sound";
import "./style.css";
import type { Brand, Frame, Road, State } from "./types";
import { LANGUAGES, type Language } from "./words";

const FONTS = {
  sans: 'system-ui, "Segoe UI", Roboto, "Noto Sans", "Noto Sans CJK SC", "DejaVu Sans", sans-serif',
  grotesk: '"Helvetica Neue", Arial, "Liberation Sans", "Noto Sans CJK SC", sans-serif',
  serif: 'Georgia, "Noto Serif", "Noto Serif CJK SC", "DejaVu Serif", serif',
};
const CAMERAS: Camera[] = ["chase", "top", "driver"];

const hash = new URLSearchParams(location.hash.slice(1));
const token = hash.get("token") ?? "";
const kept = (name: string): string | null => localStorage.getItem(`marque.${name}`);
const keep = (name: string, value: string): void => localStorage.setItem(`marque.${name}`, value);

function firstLanguage(): Language {
  const asked = [hash.get("lang"), kept("language"), ...navigator.languages.map((each) => each.slice(0, 2))];
  return (asked.find((each) => each && each in LANGUAGES) ?? "en") as Language;
}

/** null: there is no WebGL. soft: it is computed by the CPU. */
function graphics(): { soft: boolean } | null {
  if (hash.get("view") === "flat") return null;
  const pen = document.createElement("canvas").getContext("webgl2");
  if (!pen) return null;
  const told = pen.getExtension("WEBGL_debug_renderer_info");
  const name = told ? String(pen.getParameter(told.UNMASKED_RENDERER_WEBGL)) : "";
  pen.getExtension("WEBGL_lose_context")?.loseContext();
  return { soft: /swiftshader|llvmpipe|software|basic render/i.test(name) };
}

let language = firstLanguage();
let night = (hash.get("time") ?? kept("time") ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "night" : "day")) === "night";
let road: Road | null = null;
let frame: Frame | null = null;
let frameAt_ms = 0;
let state: State | null = null;
let brand: Brand | null = null;
let brands: string[] = [];
let commands = false;
let live = false;
let connected = false;
let cameraAt = 0;
let summarised = false;
let stale = false;

const panel = new Panel(LANGUAGES[language], language);
const sound = new Sound();
const drawing = graphics();
const view: View = drawing ? new Scene3D($<HTMLCanvasElement>("view"), drawing.soft) : new Scene2D($<HTMLCanvasElement>("view"));
const map = new TripMap($<HTMLCanvasElement>("map"), chooseDestination);
const charts = new Charts($("charts"), (t_s) => !live && bar.send({ do: "seek", t_s }));
const link = new Link(token, heard, linkChanged);
const bar = new Bar($("bar"), () => link, panel, say, commonControls);
const hands = new Hands((command) => link.send(command));

/** What tests and tools look at. */
const hmi = {
  get frame() { return frame; },
  get state() { return state; },
  get road() { return road; },
  get connected() { return connected; },
  get drawn() { return view.drawn; },
  get brand() { return brand?.name ?? ""; },
  flat: !drawing,
  soft: drawing?.soft ?? false,
  language: () => language,
  night: () => night,
  camera: () => CAMERAS[cameraAt],
  commands: () => commands,
  onMap: (place: [number, number]) => map.onPage(place),
  why: "",
  ask: "",
  said: "",
  sounds: sound.played,
  /** Milliseconds from the server's clock to the page's state, and to the picture. */
  late_ms: [] as number[],
  pixels_ms: [] as number[],
};
(window as unknown as { __hmi: typeof hmi }).__hmi = hmi;

function heard(kind: string, is: any): void {
  if (kind === "frame") showFrame(is);
  else if (kind === "state") {
    state = is;
    bar.show(is, frame);
    over();
  } else if (kind === "welcome") {
    live = is.live;
    brands = is.brands;
    void loadBrand(is.brand);
    void loadStage();
  } else if (kind === "you") {
    commands = is.command;
    rebuild();
  } else if (kind === "brand") void loadBrand(is);
  else if (kind === "stage") void loadStage();
  else if (kind === "written") written(is.path, is.value);
}

function written(path: string, value: string): void {
  if (path.endsWith("HMI.CurrentLanguage") && value in LANGUAGES) speak(value as Language);
  if (path.endsWith("HMI.DayNightMode")) light(value === "NIGHT");
  if (path.endsWith("Media.Volume")) sound.on = Number(value) > 0;
}

async function loadStage(): Promise<void> {
  const [made, series] = await Promise.all(["./road", "./series"].map(async (url) => (await fetch(url)).json()));
  road = made;
  panel.forget();
  if (live) panel.heard(made.events ?? []);
  charts.load(series);
  view.stage(made);
  map.stage(made);
  paint();
  rebuild();
}

async function loadBrand(name: string): Promise<void> {
  const answer = await fetch(`./brands/${name}`);
  if (!answer.ok) return;
  brand = await answer.json();
  paint();
}

function paint(): void {
  if (!brand) return;
  const colours = night ? brand.night : brand.day;
  const style = document.documentElement.style;
  for (const [name, value] of Object.entries(colours)) style.setProperty(`--${name.replace("_", "-")}`, value);
  style.setProperty("--corner", `${brand.corner_px}px`);
  style.setProperty("--font", FONTS[brand.font]);
  document.body.dataset.time = night ? "night" : "day";
  document.title = `${brand.title} – ${panel.words.title}`;
  view.paint(colours, night);
  map.paint(colours);
  charts.paint(colours);
  stale = true;
}

function rebuild(): void {
  panel.name(road);
  bar.build(live, commands, road);
  if (frame && road && brand) hmi.why = panel.show(frame, road, brand).why;
}

function showFrame(next: Frame): void {
  const jumped = frame !== null && (next.t < frame.t - 0.05 || next.t > frame.t + 3);
  frame = next;
  frameAt_ms = performance.now();
  stale = true;
  if (jumped) {
    map.jumped();
    summarised = false;
    $<HTMLDialogElement>("summary").close();
    if (!live) panel.forget();
  }
  if (!road || !brand) return;
  const told = panel.show(next, road, brand);
  hmi.why = told.why;
  hmi.ask = told.ask;
  panel.heard(live ? next.events : (road.events ?? []).filter((each) => each.t <= next.t && each.t > next.t - 0.15 - (jumped ? 1e9 : 0)));
  charts.add(next);
  if (state) bar.show(state, next);
  warn(next);
  note(hmi.late_ms, next);
}

function note(list: number[], shown: Frame): void {
  if (shown.wall_ms === undefined) return;
  list.push(Date.now() - shown.wall_ms);
  if (list.length > 2000) list.shift();
}

function warn(shown: Frame): void {
  const mode = shown.mode;
  const alarm = mode.name === "MANOEUVRE" || mode.name === "EMERGENCY" || (mode.asks === "takeover" && mode.haptic);
  const level = alarm ? "alarm" : mode.acoustic ? "warn" : mode.visual && mode.name !== "STANDSTILL" ? "chime" : shown.guard?.warning && shown.guard.now ? "warn" : "";
  // a replay that stands is silent: what it shows is long over
  sound.warn(live || state?.plays ? level : "", brand!, performance.now() / 1000);
}

function linkChanged(now: boolean): void {
  connected = now;
  const at = $("link");
  at.dataset.lost = now ? "no" : "yes";
  put("link", now ? (stale ? panel.words.again : "") : panel.words.lost);
  if (now) window.setTimeout(() => connected && put("link", ""), 4000);
}

function say(text: string): void {
  hmi.said = text;
  $("link").dataset.lost = "no";
  put("link", text);
  window.setTimeout(() => $("link").textContent === text && put("link", ""), 6000);
}

function over(): void {
  if (!state?.over || summarised || !frame || !road) return;
  summarised = true;
  const box = $<HTMLDialogElement>("summary");
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = panel.words.close;
  close.addEventListener("click", () => box.close());
  box.replaceChildren(...panel.summary(frame, state, charts.rows), close);
  if (!box.open) box.showModal();
}

// ---- settings ----

function speak(next: Language): void {
  language = next;
  keep("language", next);
  panel.words = LANGUAGES[next];
  panel.language = next;
  rebuild();
  paint();
}

function light(dark: boolean): void {
  night = dark;
  keep("time", dark ? "night" : "day");
  paint();
  rebuild();
}

function nextCamera(): void {
  cameraAt = (cameraAt + 1) % CAMERAS.length;
  view.camera(CAMERAS[cameraAt]);
  stale = true;
  rebuild();
}

function toggleCharts(): void {
  $("charts").hidden = !$("charts").hidden;
  document.body.dataset.charts = $("charts").hidden ? "no" : "yes";
  resize();
}

function commonControls(): HTMLElement[] {
  const { words } = panel;
  const make = (id: string, text: string, label: string, press: () => void) => {
    const made = document.createElement("button");
    made.type = "button";
    made.id = id;
    made.className = "quiet";
    made.textContent = text;
    made.setAttribute("aria-label", label);
    made.title = label;
    made.addEventListener("click", press);
    return made;
  };
  return [
    make("camera", words.cameras[CAMERAS[cameraAt]], `${words.camera}: ${words.cameras[CAMERAS[cameraAt]]}`, nextCamera),
    make("charts-key", words.charts, words.charts, toggleCharts),
    make("daynight", night ? words.day : words.night, night ? words.day : words.night, () => light(!night)),
    make("settings-key", "⚙", words.settings, openSettings),
  ];
}

function openSettings(): void {
  const box = $<HTMLDialogElement>("settings"), { words } = panel;
  const title = document.createElement("h2");
  title.id = "settings-title";
  title.textContent = words.settings;
  const field = (label: string, input: HTMLElement) => {
    const made = document.createElement("label");
    made.append(label, input);
    return made;
  };
  const tongue = document.createElement("select");
  tongue.id = "language";
  for (const [code, each] of Object.entries(LANGUAGES)) tongue.add(new Option(each.name, code, false, code === language));
  tongue.addEventListener("change", () => {
    box.close();
    speak(tongue.value as Language);
  });
  const make = document.createElement("select");
  make.id = "brand";
  for (const each of brands) make.add(new Option(each, each, false, each === brand?.name));
  make.disabled = !commands;
  make.addEventListener("change", () => link.send({ do: "brand", name: make.value }, say));
  const parts: HTMLElement[] = [title, field(words.language, tongue), field(words.brand, make)];
  if (live) {
    const place = document.createElement("input");
    place.id = "place";
    place.placeholder = words.place;
    const go = document.createElement("button");
    go.type = "button";
    go.id = "go";
    go.textContent = words.go;
    go.addEventListener("click", () => {
      link.send({ do: "destination", place: place.value.trim() }, say);
      box.close();
    });
    const moves = Math.abs(frame?.speed.mps ?? 0) > 0.1;
    place.disabled = go.disabled = !commands || moves;
    if (moves) place.placeholder = words.locked;
    parts.push(field(words.destination, place), go);
  }
  const audible = document.createElement("input");
  audible.type = "checkbox";
  audible.checked = sound.on;
  audible.addEventListener("change", () => (sound.on = audible.checked));
  const help = document.createElement("p");
  help.textContent = `${words.help}: ${live ? words.keysLive : words.keys}`;
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = words.close;
  close.addEventListener("click", () => box.close());
  parts.push(field(words.sound, audible), help, close);
  box.replaceChildren(...parts);
  box.showModal();
}

function chooseDestination(x: number, y: number): void {
  if (!live || !road || !commands) return;
  const [ox, oy] = road.origin_m;
  bar.send({ do: "destination", place: `xy:${(x + ox).toFixed(1)},${(y + oy).toFixed(1)}` });
}

// ---- keys, size, drawing ----

const KEYS: Record<string, (() => void) | undefined> = {
  KeyC: nextCamera,
  KeyG: toggleCharts,
  KeyD: () => light(!night),
  KeyL: () => {
    const all = Object.keys(LANGUAGES) as Language[];
    speak(all[(all.indexOf(language) + 1) % all.length]);
  },
  KeyS: openSettings,
  Space: () => bar.toggle(),
};
const REPLAY_KEYS: Record<string, (() => void) | undefined> = {
  ArrowLeft: () => bar.seek(-5),
  ArrowRight: () => bar.seek(5),
  KeyN: () => bar.send({ do: "jump", way: "next" }),
  KeyB: () => bar.send({ do: "jump", way: "previous" }),
};
const LIVE_KEYS: Record<string, (() => void) | undefined> = {
  KeyE: () => bar.send({ do: "act", what: "button" }),
  Equal: () => bar.set(10),
  NumpadAdd: () => bar.set(10),
  Minus: () => bar.set(-10),
  NumpadSubtract: () => bar.set(-10),
};

addEventListener("keydown", (key) => {
  sound.unlock();
  const at = key.target as HTMLElement;
  if (key.ctrlKey || key.metaKey || key.altKey || document.querySelector("dialog[open]")) return;
  if (/^(INPUT|SELECT|TEXTAREA)$/.test(at.tagName) && key.code !== "Escape") return;
  if (at.tagName === "BUTTON" && key.code === "Space") return;
  if (live && key.code.startsWith("Arrow")) hands.key(key.code, true);
  const done = KEYS[key.code] ?? (live ? LIVE_KEYS : REPLAY_KEYS)[key.code];
  if (done && !key.repeat) done();
  if (done || (live && key.code.startsWith("Arrow"))) key.preventDefault();
});
addEventListener("keyup", (key) => hands.key(key.code, false));
addEventListener("pointerdown", () => sound.unlock());

function resize(): void {
  view.size();
  map.size();
  if (brand) charts.paint(night ? brand.night : brand.day);
  stale = true;
}
addEventListener("resize", resize);

let looked_ms = 0;
let drawnFrame: Frame | null = null;

function draw(now: number): void {
  requestAnimationFrame(draw);
  const dt = now - looked_ms;
  const slow = hmi.soft ? 60 : 0; // a CPU that draws has other work, too
  if (dt < slow && !stale) return;
  looked_ms = now;
  if (live && commands) hands.look(true, dt / 1000);
  if (!frame || !road || !brand) return;
  const age = (performance.now() - frameAt_ms) / 1000;
  const moves = connected && (live || state?.plays === true) && frame.speed.mps > 0.05 && age < 0.3;
  if (!stale && !moves) return;
  stale = false;
  const speed = live ? 1 : state?.speed ?? 1;
  view.show(frame, moves ? age * speed : 0);
  map.show(frame);
  charts.show();
  label();
  if (drawnFrame !== frame) {
    drawnFrame = frame;
    note(hmi.pixels_ms, frame);
  }
}

/** A few words at the one who limits the speed. */
function label(): void {
  const at = $("label"), place = view.mark();
  const why = frame!.why;
  const text = why.kind !== undefined ? `${panel.words.kinds[why.kind]} · ${panel.number(why.gap_m ?? 0)} m` : why.stop ? `${panel.words.reasons[why.code] ?? ""}` : "";
  at.hidden = !place || !text;
  if (at.hidden) return;
  put("label", text);
  at.style.transform = `translate(-50%, -100%) translate(${Math.round(place!.x)}px, ${Math.round(place!.y)}px)`;
}

view.camera("chase");
panel.name(null);
if (!drawing) {
  $("flat-note").hidden = false;
  put("flat-note", panel.words.flat);
}
put("link", panel.words.connecting);
requestAnimationFrame(draw);
