/** The bar of controls: a replay's clock, or a live drive's person. */

import type { Link } from "./link";
import type { Panel } from "./panel";
import type { Frame, Road, State } from "./types";

const SPEEDS = [0.25, 0.5, 1, 2, 4, 10];

function button(text: string, label: string, press: () => void, id = ""): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.setAttribute("aria-label", label);
  made.title = label;
  if (id) made.id = id;
  made.addEventListener("click", press);
  return made;
}

export class Bar {
  private play: HTMLButtonElement | null = null;
  private scrub: HTMLInputElement | null = null;
  private time: HTMLElement | null = null;
  private speed: HTMLSelectElement | null = null;
  private engage: HTMLButtonElement | null = null;
  private held = false;
  state: State | null = null;

  constructor(
    private readonly holder: HTMLElement,
    private readonly link: () => Link,
    private readonly panel: Panel,
    private readonly say: (text: string) => void,
    private readonly common: () => HTMLElement[],
  ) {}

  build(live: boolean, mayCommand: boolean, road: Road | null): void {
    this.play = this.scrub = this.time = this.speed = this.engage = null;
    const parts = live ? this.live() : this.replay(road);
    for (const part of parts) if (!mayCommand) part.toggleAttribute("disabled", true);
    if (mayCommand || !live) this.holder.replaceChildren(...parts, ...this.common());
    else this.holder.replaceChildren(...this.common());
    if (!mayCommand) {
      const note = document.createElement("span");
      note.className = "note";
      note.textContent = this.panel.words.looks;
      this.holder.prepend(note);
    }
    if (this.state) this.show(this.state, null);
  }

  send(command: Record<string, unknown>): void {
    this.link().send(command, this.say);
  }

  toggle(): void {
    this.send({ do: this.state?.plays ? "pause" : "play" });
  }

  seek(by_s: number): void {
    if (this.state) this.send({ do: "seek", t_s: Math.max(0, this.state.t_s + by_s) });
  }

  private replay(road: Road | null): HTMLElement[] {
    const { words } = this.panel;
    this.play = button("▶", words.play, () => this.toggle(), "play");
    const before = button("|◀", words.previous, () => this.send({ do: "jump", way: "previous" }), "previous");
    const after = button("▶|", words.next, () => this.send({ do: "jump", way: "next" }), "next");
    this.scrub = document.createElement("input");
    this.scrub.type = "range";
    this.scrub.id = "scrub";
    this.scrub.step = "0.1";
    this.scrub.setAttribute("aria-label", words.driven);
    this.scrub.setAttribute("list", "marks");
    this.scrub.addEventListener("input", () => {
      this.held = true;
      this.send({ do: "seek", t_s: Number(this.scrub!.value) });
    });
    this.scrub.addEventListener("change", () => (this.held = false));
    const marks = document.createElement("datalist");
    marks.id = "marks";
    for (const each of road?.events ?? []) {
      const option = document.createElement("option");
      option.value = String(each.t);
      marks.append(option);
    }
    this.time = document.createElement("output");
    this.time.id = "time";
    this.speed = document.createElement("select");
    this.speed.id = "rate";
    this.speed.setAttribute("aria-label", words.speed);
    for (const each of SPEEDS) this.speed.add(new Option(`${each}×`, String(each)));
    this.speed.addEventListener("change", () => this.send({ do: "speed", factor: Number(this.speed!.value) }));
    return [this.play, before, after, this.scrub, marks, this.time, this.speed];
  }

  private live(): HTMLElement[] {
    const { words } = this.panel;
    this.engage = button(words.engage, words.engage, () => this.send({ do: "act", what: "button" }), "engage");
    this.play = button("❚❚", words.pause, () => this.toggle(), "play");
    const act = (what: string, text: string) => button(text, text, () => this.send({ do: "act", what }), `act-${what}`);
    const person = document.createElement("select");
    person.id = "attention";
    person.setAttribute("aria-label", words.person);
    for (const each of ["attentive", "eyes-off", "hands-off", "asleep", "out-of-seat", "unbelted", "door-open"])
      person.add(new Option(words.people[each], each));
    person.addEventListener("change", () => this.send({ do: "person", state: person.value }));
    return [
      this.engage, act("brake", words.brake), act("wheel", words.wheel), this.play,
      button("−", words.slower, () => this.set(-10), "slower"), button("+", words.faster, () => this.set(10), "faster"),
      button("⇥", words.closer, () => this.gap(-0.2), "closer"), button("⇤", words.farther, () => this.gap(0.2), "farther"),
      person,
    ];
  }

  private last: Frame | null = null;

  /** From the set speed, or from the limit where none is set, in steps of 10 km/h. */
  set(by_kph: number): void {
    if (!this.last) return;
    const now = this.last.speed.set_mps ?? this.last.speed.limit_mps ?? this.last.speed.mps;
    const kph = Math.round((3.6 * now) / 10) * 10 + by_kph;
    this.send({ do: "set_speed", mps: Math.max(10, Math.min(200, kph)) / 3.6 });
  }

  gap(by_s: number): void {
    const now = this.last?.speed.gap_s ?? 1.5;
    this.send({ do: "set_gap", headway_s: Math.max(0.8, Math.min(3.6, Math.round(10 * (now + by_s)) / 10)) });
  }

  show(state: State, frame: Frame | null): void {
    this.state = state;
    if (frame) this.last = frame;
    const { words } = this.panel;
    if (this.play) {
      this.play.textContent = state.plays ? "❚❚" : "▶";
      const label = state.plays ? words.pause : words.play;
      this.play.setAttribute("aria-label", label);
      this.play.title = label;
    }
    if (this.scrub && !this.held) {
      this.scrub.min = String(state.begin_s);
      this.scrub.max = String(state.end_s);
      this.scrub.value = String(frame?.t ?? state.t_s);
    }
    if (this.time) this.time.textContent = `${this.panel.clock((frame?.t ?? state.t_s) - state.begin_s)} / ${this.panel.clock(state.end_s - state.begin_s)}`;
    if (this.speed && document.activeElement !== this.speed) this.speed.value = String(state.speed);
    if (this.engage && frame) {
      const label = frame.mode.drives ? words.disengage : words.engage;
      if (this.engage.textContent !== label) {
        this.engage.textContent = label;
        this.engage.setAttribute("aria-label", label);
        this.engage.title = label;
      }
    }
  }
}

/** Hands and feet by keyboard or gamepad, while the person drives. */
export class Hands {
  private down = new Set<string>();
  private steer = 0;
  private sent = "";
  private sent_ms = 0;

  constructor(private readonly send: (command: Record<string, unknown>) => void) {}

  key(code: string, pressed: boolean): void {
    if (pressed) this.down.add(code);
    else this.down.delete(code);
  }

  /** Called some thirty times a second. */
  look(drives: boolean, dt_s: number): void {
    if (!drives && this.sent === "") return;
    const pad = (navigator.getGamepads?.() ?? []).find((each) => each !== null);
    const wish = (this.down.has("ArrowLeft") ? 1 : 0) - (this.down.has("ArrowRight") ? 1 : 0);
    this.steer += Math.max(-1.5 * dt_s, Math.min(1.5 * dt_s, 0.35 * wish - this.steer));
    const axis = pad ? -(pad.axes[0] ?? 0) : 0;
    const told = {
      do: "drive",
      steer: round(Math.abs(axis) > 0.05 ? axis : this.steer),
      accelerator: round(Math.max(this.down.has("ArrowUp") ? 0.6 : 0, pad?.buttons[7]?.value ?? 0)),
      brake: round(Math.max(this.down.has("ArrowDown") ? 0.5 : 0, pad?.buttons[6]?.value ?? 0)),
    };
    const text = JSON.stringify(told), now = performance.now();
    const idle = !drives || (told.steer === 0 && told.accelerator === 0 && told.brake === 0);
    if (text === this.sent ? idle || now - this.sent_ms < 400 : now - this.sent_ms < 60) return;
    this.sent = drives ? text : "";
    this.sent_ms = now;
    this.send(told);
  }
}

const round = (value: number): number => Math.round(100 * Math.max(-1, Math.min(1, value))) / 100;
