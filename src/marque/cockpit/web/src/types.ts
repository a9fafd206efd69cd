/** What the server sends; `marque/cockpit/frames.py` and `road.py` say what each field is. */

export interface Mode {
  name: "OFF" | "READY" | "ACTIVE" | "DEMAND" | "MANOEUVRE" | "EMERGENCY" | "OVERRIDE" | "STANDSTILL";
  supervised: boolean;
  cause: string;
  detail: string;
  drives: boolean;
  visual: boolean;
  acoustic: boolean;
  haptic: boolean;
  hazard: boolean;
  may_activate: boolean;
  countdown_s: number | null;
  asks: "" | "hands" | "eyes" | "takeover";
}

export interface Why {
  code: string;
  since_s: number;
  uid?: number;
  kind?: number;
  gap_m?: number;
  speed_mps?: number;
  headway_s?: number;
  rule?: string;
  stop?: [number, number, number, number];
}

export interface Plan {
  line: number[];
  v: number[];
  fallback: number[];
  fallback_end: [number, number, number];
  manoeuvre: string;
  indicator: number;
  margins: Record<string, number>;
}

/** uid, kind, x, y, heading, speed, accel, length, width, indicator, then x, y of where it will be. */
export type User = number[];

export interface DriveEvent {
  t: number;
  kind: string;
  text: string;
}

export interface Frame {
  t: number;
  ego: { x: number; y: number; h: number; steer: number; accel: number; lat: number; yaw: number; jerk: number; indicator: number };
  speed: { mps: number; limit_mps: number | null; power_kw: number; set_mps?: number | null; gap_s?: number | null };
  mode: Mode;
  why: Why;
  plan: Plan | null;
  users: User[];
  heads: number[];
  guard: { now: boolean; action: string; rule: string; margin: number | null; warning: boolean } | null;
  trip: {
    way_m: number; left_m: number | null; left_s: number | null; energy_kwh: number; stops: number; interventions: number;
    braking_mps2: number; sideways_mps2: number; jerk_mps3: number;
  };
  senses: string;
  events: DriveEvent[];
  person?: { state: string; eyes: boolean; hands: boolean; belted: boolean; seated: boolean };
  wall_ms?: number;
}

export interface Road {
  map: string;
  attribution: string;
  left_hand: boolean;
  traffic: string;
  driver: string;
  origin_m: [number, number];
  globe: [number, number] | null;
  car: { title: string; powertrain: string; length_m: number; width_m: number; height_m: number; centre_m: number };
  start: [number, number];
  goal: [number, number];
  route: number[];
  route_length_m: number;
  lanes: number[][];
  stops: number[][];
  walks: number[][];
  heads: number[][];
  ways?: { line: number[]; length_m: number; time_s: number }[];
  events?: DriveEvent[];
}

export interface State {
  live: boolean;
  name: string;
  begin_s: number;
  end_s: number;
  t_s: number;
  ready_s: number;
  plays: boolean;
  speed: number;
  end: string;
  over: boolean;
}

export interface Colours {
  ground: string; panel: string; ink: string; soft: string; accent: string; active: string; ready: string;
  warn: string; alarm: string; on_alarm: string; path: string;
}

export interface Brand {
  name: string;
  title: string;
  tone: "plain" | "warm" | "terse";
  font: "sans" | "grotesk" | "serif";
  corner_px: number;
  day: Colours;
  night: Colours;
  sounds: { chime_hz: number; warn_hz: number; alarm_hz: number; loudness: number };
}

export const CAR = 0, TRUCK = 1, BUS = 2, MOTORCYCLE = 3, BICYCLE = 4, PEDESTRIAN = 5, RAIL = 6, OBSTACLE = 7;
