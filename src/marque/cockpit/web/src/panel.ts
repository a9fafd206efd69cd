/** Gauges, the line that says why, warnings and lists: everything that is text. */

import { LOCALE, type Language, type Words } from "./words";
import type { Brand, DriveEvent, Frame, Road, State } from "./types";

export const $ = <T extends HTMLElement = HTMLElement>(id: string): T => document.getElementById(id) as T;

/** Changes the page only where something changed: what is read aloud is not read twice. */
export function put(id: string, text: string): void {
  const at = $(id);
  if (at.textContent !== text) at.textContent = text;
}

const WHEEL =
  '<svg viewBox="0 0 120 120" aria-hidden="true"><circle cx="60" cy="58" r="40" fill="none" stroke="currentColor" stroke-width="9"/>' +
  '<path d="M20 58h28m24 0h28M60 72v26" stroke="currentColor" stroke-width="9"/><circle cx="60" cy="58" r="12" fill="currentColor"/>' +
  '<path class="hand" d="M14 44c-8 4-8 24 0 30l14-4V48zM106 44c8 4 8 24 0 30l-14-4V48z" fill="currentColor"/></svg>';
const EYE =
  '<svg viewBox="0 0 120 120" aria-hidden="true"><path d="M8 60c24-40 80-40 104 0-24 40-80 40-104 0z" fill="none" stroke="currentColor" stroke-width="9"/>' +
  '<circle cx="60" cy="60" r="17" fill="currentColor"/></svg>';
const STOP =
  '<svg viewBox="0 0 120 120" aria-hidden="true"><path d="M60 12 112 104H8z" fill="none" stroke="currentColor" stroke-width="9" stroke-linejoin="round"/>' +
  '<path d="M60 44 86 90H34z" fill="none" stroke="currentColor" stroke-width="7" stroke-linejoin="round"/></svg>';

/** A sign beside the word, of a shape of its own for each mode. */
export const SIGNS: Record<string, string> = {
  OFF: "○", READY: "◌", ACTIVE: "●", DEMAND: "▲", MANOEUVRE: "■", EMERGENCY: "✖", OVERRIDE: "◐", STANDSTILL: "■",
};

export class Panel {
  private asked = "";
  private events = new Map<string, DriveEvent>();

  constructor(public words: Words, public language: Language) {}

  number(value: number, digits = 0): string {
    return value.toLocaleString(LOCALE[this.language], { minimumFractionDigits: digits, maximumFractionDigits: digits });
  }

  metres(value: number): string {
    return value < 950 ? `${this.number(Math.round(value / 10) * 10)} m` : `${this.number(value / 1000, 1)} km`;
  }

  clock(s: number): string {
    const whole = Math.max(0, Math.round(s));
    return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  }

  /** Fixed words of the page. */
  name(road: Road | null): void {
    const words = this.words as unknown as Record<string, string>;
    document.documentElement.lang = this.language;
    for (const each of document.querySelectorAll<HTMLElement>("[data-word]")) each.textContent = words[each.dataset.word!] ?? "";
    $("view").setAttribute("aria-label", this.words.view);
    $("map").setAttribute("aria-label", this.words.map);
    if (road) put("rights", [road.attribution, road.traffic].filter(Boolean).join(" · "));
    this.list();
  }

  /** Why the car is slower than it could be, in one line. */
  why(frame: Frame, brand: Brand): string {
    const { words } = this, why = frame.why;
    const reason = words.reasons[why.code] ?? why.code;
    if (why.code === "NONE" || why.code === "SPEED_UP") return reason;
    const stands = frame.speed.mps < 0.3;
    const doing = stands ? words.doing.stands : frame.ego.accel < -0.35 ? words.doing.slows : words.doing.holds;
    const parts: string[] = [];
    if (why.kind !== undefined) {
      const who = words.kinds[why.kind];
      const told = why.code === "PEDESTRIAN" || (why.code === "CYCLIST" && why.kind === 4) ? "" : who;
      if (told) parts.push(told);
      if (why.gap_m !== undefined && brand.tone !== "terse") parts.push(`${this.number(why.gap_m)} m`);
      if (why.code === "LEAD" && why.headway_s !== undefined && brand.tone !== "terse") parts.push(`${this.number(why.headway_s, 1)} s`);
    } else if (why.stop && why.stop[3] > 1 && brand.tone !== "terse") parts.push(`${this.number(why.stop[3])} m`);
    if (why.rule) parts.push(why.rule.replaceAll("_", " "));
    return `${doing}: ${[reason, ...parts].join(", ")}`;
  }

  show(frame: Frame, road: Road, brand: Brand): { why: string; ask: string } {
    const { words } = this, mode = frame.mode;
    document.body.dataset.mode = mode.name;
    document.body.dataset.ask = mode.asks || (mode.name === "EMERGENCY" ? "emergency" : "");
    document.body.dataset.stage = mode.haptic ? "3" : mode.acoustic ? "2" : mode.visual ? "1" : "0";
    put("mode-sign", SIGNS[mode.name]);
    put("mode-text", words.modes[mode.name]);
    const why = this.why(frame, brand);
    put("why", why);
    put("speed-value", this.number(3.6 * Math.abs(frame.speed.mps)));
    $("limit").dataset.long = frame.speed.limit_mps !== null && frame.speed.limit_mps > 27.5 ? "yes" : "no";
    put("limit-value", frame.speed.limit_mps === null ? "–" : this.number(3.6 * frame.speed.limit_mps));
    const set = frame.speed.set_mps;
    put("set-value", set === null || set === undefined ? "–" : this.number(3.6 * set));
    put("gear", mode.name === "OFF" || mode.name === "STANDSTILL" ? "P" : "D");
    put("power", `${this.number(frame.speed.power_kw)} kW`);
    const bar = document.querySelector<HTMLElement>("#power-bar i")!;
    const share = Math.max(-1, Math.min(1, frame.speed.power_kw / 100));
    bar.style.left = `${50 + Math.min(0, 50 * share)}%`;
    bar.style.width = `${Math.abs(50 * share)}%`;
    put("energy", `${this.number(frame.trip.energy_kwh, 2)} kWh`);
    const asked = mode.asks === "hands" ? "hands-off" : mode.asks === "eyes" ? "eyes-off" : mode.supervised ? "attentive" : "unknown";
    const lacks = mode.asks === "takeover" || mode.name === "STANDSTILL" ? words.causes[mode.cause] : undefined;
    const person = frame.person?.state;
    put("person", person ? words.people[person] ?? person : lacks ?? words.people[asked]);
    const guard = frame.guard;
    $("guard").dataset.acts = guard ? "yes" : "no";
    const margin = guard && guard.margin !== null ? ` (${this.number(guard.margin, 1)})` : "";
    put(
      "guard-text",
      guard
        ? `${words.guards[guard.action] ?? guard.action}: ${guard.rule.replaceAll("_", " ")}${margin}`
        : frame.trip.interventions ? `${frame.trip.interventions} ${words.interventions}` : words.quiet,
    );
    this.trip(frame, road);
    return { why, ask: this.ask(frame) };
  }

  private trip(frame: Frame, _road: Road): void {
    const { left_s, left_m, way_m } = frame.trip;
    put("arrival", left_s === null ? "–" : `${this.clock(left_s)} min`);
    put("left", left_m === null ? "–" : this.metres(left_m));
    put("driven", this.metres(way_m));
  }

  /** What the person is asked for: a picture, words, and how long is left. */
  private ask(frame: Frame): string {
    const { words } = this, mode = frame.mode, box = $("ask");
    const rests = mode.name === "STANDSTILL";
    const what = rests ? "rests" : mode.name === "EMERGENCY" ? "emergency" : mode.name === "MANOEUVRE" ? "mrm" : mode.asks;
    const why = words.causes[mode.cause] ?? "";
    if (what !== this.asked) {
      this.asked = what;
      box.hidden = what === "";
      box.dataset.what = what;
      $("ask-sign").innerHTML = what === "eyes" ? EYE : what === "mrm" || what === "rests" || what === "emergency" ? STOP : WHEEL;
      put(
        "ask-text",
        what === "" ? "" : what === "mrm" ? words.mrm : what === "rests" ? words.rests : what === "emergency" ? words.emergency : words.asks[what],
      );
    }
    const left = mode.countdown_s;
    put("ask-count", what === "takeover" && left !== null ? this.number(Math.ceil(left)) : "");
    put("ask-more", what === "takeover" ? [left !== null ? words.until : "", why].filter(Boolean).join(" · ") : what ? why : "");
    return what;
  }

  heard(events: DriveEvent[]): void {
    for (const each of events) this.events.set(`${each.t} ${each.kind} ${each.text}`, each);
    if (events.length) this.list();
  }

  forget(): void {
    this.events.clear();
    this.list();
  }

  private list(): void {
    const list = $("event-list");
    const known = [...this.events.values()].sort((a, b) => b.t - a.t).slice(0, 30);
    list.replaceChildren(
      ...known.map((each) => {
        const item = document.createElement("li");
        const time = document.createElement("b");
        time.textContent = this.clock(each.t);
        const what = document.createElement("i");
        what.textContent = this.words.kinds_of_events[each.kind] ?? each.kind.replaceAll("_", " ");
        item.append(time, " ", what, " ", each.text);
        return item;
      }),
    );
  }

  /** The trip in figures, when it is over. */
  summary(frame: Frame, state: State, rows: { t: number[]; why: string[] }): HTMLElement[] {
    const { words } = this, trip = frame.trip;
    const mean = trip.way_m / Math.max(frame.t - state.begin_s, 0.1);
    const facts: [string, string][] = [
      [words.driven, this.metres(trip.way_m)],
      ["min", this.clock(frame.t - state.begin_s)],
      [words.mean, `${this.number(3.6 * mean)} km/h`],
      [`${words.energy} (${words.estimate})`, `${this.number(trip.energy_kwh, 2)} kWh`],
      [words.stops, this.number(trip.stops)],
      [words.comfort, `${this.number(trip.braking_mps2, 1)} m/s²`],
      [words.sideways, `${this.number(trip.sideways_mps2, 1)} m/s²`],
      [words.jerk, `${this.number(trip.jerk_mps3, 1)} m/s³`],
      [words.guard, `${trip.interventions} ${words.interventions}`],
    ];
    const spent = new Map<string, number>();
    for (const code of rows.why) if (code !== "NONE" && code !== "SPEED_UP") spent.set(code, (spent.get(code) ?? 0) + 0.1);
    const reasons = [...spent].sort((a, b) => b[1] - a[1]).slice(0, 6);
    const title = document.createElement("h2");
    title.id = "summary-title";
    title.textContent = `${words.summary}${state.end ? ` – ${state.end}` : ""}`;
    const table = rowsOf(facts);
    const sub = document.createElement("h3");
    sub.textContent = words.why;
    const more = rowsOf(reasons.map(([code, s]) => [words.reasons[code] ?? code, `${this.number(s)} s`]));
    return [title, table, sub, more];
  }
}

function rowsOf(pairs: [string, string][]): HTMLElement {
  const list = document.createElement("dl");
  for (const [name, value] of pairs) {
    const dt = document.createElement("dt"), dd = document.createElement("dd");
    dt.textContent = name;
    dd.textContent = value;
    list.append(dt, dd);
  }
  return list;
}
