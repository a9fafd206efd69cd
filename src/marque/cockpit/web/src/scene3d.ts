/** The world around the car in three dimensions. x east, y north, z up, metres from the origin. */

import * as THREE from "three";
import { metres, normal, points, Soup } from "./mesh";
import { BICYCLE, BUS, CAR, MOTORCYCLE, OBSTACLE, PEDESTRIAN, RAIL, TRUCK } from "./types";
import type { Colours, Frame, Road, User } from "./types";

export type Camera = "chase" | "top" | "driver";

export interface View {
  stage(road: Road): void;
  paint(colours: Colours, night: boolean): void;
  show(frame: Frame, age_s: number): void;
  camera(which: Camera): void;
  /** Where on the screen the highlighted object is, null if nowhere. */
  mark(): { x: number; y: number } | null;
  size(): void;
  drawn: number;
}

const TILE_M = 120;
const SEEN_M = 320;
const HEIGHT = [1.5, 3.2, 3.1, 1.5, 1.7, 1.75, 3.4, 1.0];
const KIND_COLOUR: Record<number, [string, string]> = {
  [CAR]: ["#8b94a1", "#b9c3d0"], [TRUCK]: ["#8a7a62", "#c8b592"], [BUS]: ["#a8801c", "#e2bf58"], [MOTORCYCLE]: ["#8d4aa0", "#d08be0"],
  [BICYCLE]: ["#2f7d2c", "#7ddb6f"], [PEDESTRIAN]: ["#c2502b", "#ff9a75"], [RAIL]: ["#7d4a4a", "#c98b8b"], [OBSTACLE]: ["#a82a2a", "#ff6b6b"],
};
const LAMP = ["#8d939b", "#ff3b30", "#ffc233", "#35d657", "#8fe04f", "#ff8a2b", "#6c737c", "#d8d35a"];
/** Which of the three lamps are lit, from the top: so a state is told by place, too. */
const LIT = [[], [0], [1], [2], [2], [0, 1], [], [2]];

export class Scene3D implements View {
  private renderer: THREE.WebGLRenderer;
  private scene = new THREE.Scene();
  private eye = new THREE.PerspectiveCamera(52, 1, 0.3, SEEN_M * 1.4);
  private ground = new THREE.Group();
  private crowd = new Map<number, THREE.Group>();
  private spare = new Map<number, THREE.Group[]>();
  private ego = new THREE.Group();
  private lamps: { group: THREE.Group; lamps: THREE.Mesh[]; bar: THREE.Mesh }[] = [];
  private ribbon = dynamic(0.62);
  private edge = dynamic(0.95);
  private ahead = dynamic(0.55);
  private back = dynamic(0.9);
  private ring: THREE.Mesh;
  private plain = new THREE.Mesh(new THREE.PlaneGeometry(2400, 2400), new THREE.MeshBasicMaterial());
  private gate = new THREE.Group();
  private sun = new THREE.DirectionalLight(0xffffff, 2.0);
  private sky = new THREE.HemisphereLight(0xffffff, 0x8a8f96, 1.6);
  private road: Road | null = null;
  private colours: Colours | null = null;
  private night = false;
  private which: Camera = "chase";
  private marked: THREE.Vector3 | null = null;
  private box = new THREE.BoxGeometry(1, 1, 1);
  private materials = new Map<string, THREE.MeshLambertMaterial>();
  drawn = 0;

  constructor(private readonly canvas: HTMLCanvasElement, soft: boolean) {
    this.renderer = new THREE.WebGLRenderer({ canvas, antialias: !soft, powerPreference: "high-performance" });
    this.renderer.setPixelRatio(soft ? Math.min(0.75, window.devicePixelRatio) : Math.min(2, window.devicePixelRatio));
    this.eye.up.set(0, 0, 1);
    const ring = new THREE.TorusGeometry(1, 0.07, 6, 40);
    this.ring = new THREE.Mesh(ring, new THREE.MeshBasicMaterial({ color: "#ff8a00" }));
    this.ring.visible = false;
    this.sun.position.set(-60, -40, 120);
    this.plain.position.z = -0.06;
    this.scene.add(this.plain, this.sky, this.sun, this.ground, this.ego, this.ring, this.gate);
    this.scene.add(this.back, this.ribbon, this.edge, this.ahead);
    this.size();
  }

  stage(road: Road): void {
    this.road = road;
    this.rebuild();
  }

  paint(colours: Colours, night: boolean): void {
    this.colours = colours;
    this.night = night;
    const ground = new THREE.Color(colours.ground);
    const sky = ground.clone().lerp(new THREE.Color(night ? "#1d3550" : "#b9d3ec"), 0.75);
    this.scene.background = sky;
    this.scene.fog = new THREE.Fog(sky, SEEN_M * 0.5, SEEN_M);
    this.plain.material.color.copy(ground);
    this.sky.intensity = night ? 1.5 : 2.2;
    this.sun.intensity = night ? 0.9 : 1.9;
    this.materials.clear();
    for (const group of [...this.crowd.values(), ...[...this.spare.values()].flat()]) this.scene.remove(group);
    this.crowd.clear();
    this.spare.clear();
    for (const each of this.lamps) this.scene.remove(each.group);
    this.lamps = [];
    this.rebuild();
  }

  camera(which: Camera): void {
    this.which = which;
  }

  size(): void {
    const { clientWidth: w, clientHeight: h } = this.canvas;
    if (!w || !h) return;
    this.renderer.setSize(w, h, false);
    this.eye.aspect = w / h;
    this.eye.updateProjectionMatrix();
  }

  mark(): { x: number; y: number } | null {
    if (!this.marked) return null;
    const p = this.marked.clone().project(this.eye);
    if (p.z > 1 || Math.abs(p.x) > 0.96 || Math.abs(p.y) > 0.96) return null;
    return { x: (0.5 + 0.5 * p.x) * this.canvas.clientWidth, y: (0.5 - 0.5 * p.y) * this.canvas.clientHeight };
  }

  show(frame: Frame, age_s: number): void {
    if (!this.road || !this.colours) return;
    const { ego, speed } = frame;
    // between frames the car goes on as it goes: what is shown is not older than need be
    const dt = Math.max(0, Math.min(0.15, age_s));
    const way = speed.mps * dt;
    const x = ego.x + way * Math.cos(ego.h), y = ego.y + way * Math.sin(ego.h), h = ego.h + ego.yaw * dt;
    const reach = this.road.car.centre_m;
    this.ego.position.set(x + reach * Math.cos(h), y + reach * Math.sin(h), 0);
    this.ego.rotation.z = h;
    this.ego.visible = this.which !== "driver";
    this.people(frame, dt);
    this.signals(frame);
    this.path(frame);
    this.highlight(frame);
    this.plain.position.set(x, y, -0.06);
    this.look(x, y, h);
    this.renderer.render(this.scene, this.eye);
    this.drawn += 1;
  }

  private look(x: number, y: number, h: number): void {
    const c = Math.cos(h), s = Math.sin(h);
    const left = this.road!.left_hand ? -0.38 : 0.38; // the driver's seat
    if (this.which === "top") {
      this.eye.up.set(c, s, 0);
      this.eye.position.set(x + 16 * c, y + 16 * s, 70);
      this.eye.lookAt(x + 16.01 * c, y + 16.01 * s, 0);
    } else if (this.which === "driver") {
      this.eye.up.set(0, 0, 1);
      const ex = x + 1.3 * c - left * s, ey = y + 1.3 * s + left * c;
      this.eye.position.set(ex, ey, 1.25);
      this.eye.lookAt(ex + 30 * c, ey + 30 * s, 0.4);
    } else {
      this.eye.up.set(0, 0, 1);
      this.eye.position.set(x - 11 * c, y - 11 * s, 7.2);
      this.eye.lookAt(x + 15 * c, y + 15 * s, 0);
    }
  }

  // ---- the stage ----

  private tone(day: string, night: string): THREE.Color {
    return new THREE.Color(this.night ? night : day);
  }

  private rebuild(): void {
    if (!this.road || !this.colours) return;
    for (const child of [...this.ground.children]) {
      (child as THREE.Mesh).geometry.dispose();
      this.ground.remove(child);
    }
    const tiles = new Map<string, Soup>();
    const tile = (p: number[]): Soup => {
      const key = `${Math.floor(p[0] / TILE_M)},${Math.floor(p[1] / TILE_M)}`;
      if (!tiles.has(key)) tiles.set(key, new Soup());
      return tiles.get(key)!;
    };
    this.lanes(tile);
    this.marks(tile);
    const material = new THREE.MeshBasicMaterial({ vertexColors: true, side: THREE.DoubleSide });
    for (const soup of tiles.values()) if (!soup.empty) this.ground.add(new THREE.Mesh(soup.geometry(), material));
    this.ego.clear();
    const car = this.road.car;
    this.ego.add(...this.vehicle(car.length_m, car.width_m, car.height_m, this.colours.accent, true).children);
  }

  private lanes(tile: (p: number[]) => Soup): void {
    const surface = [
      this.tone("#aeb6c0", "#26303a"), this.tone("#b6aeb4", "#302c3a"), this.tone("#c7b0a8", "#3a2c2a"), this.tone("#cfd3d8", "#1b232b"),
      this.tone("#c3c8ce", "#202932"), this.tone("#c3c8ce", "#202932"),
    ];
    const inside = this.tone("#b5bcc5", "#2a343f");
    const line = this.tone("#ffffff", "#8b97a5");
    const kerb = this.tone("#6c7580", "#566270");
    for (const lane of this.road!.lanes) {
      const [kind, flags, width] = lane;
      const way = points(lane, 3);
      if (way.length < 2) continue;
      const half = width / 200;
      const soup = tile(way[way.length >> 1]);
      const connector = (flags & 1) !== 0, drive = kind <= 1;
      soup.band(way, half, -half, connector ? 0.0 : drive ? 0.02 : 0.01, connector && drive ? inside : surface[kind] ?? surface[5]);
      if (connector || !drive) continue;
      const z = 0.05;
      if (flags & 2) soup.band(way, half + 0.07, half - 0.07, z, line, [3, 6]);
      else if (flags & 8) soup.band(way, half + 0.08, half - 0.08, z, line);
      else soup.band(way, half + 0.12, half - 0.06, z, kerb);
      if (!(flags & 4)) soup.band(way, -half + 0.06, -half - 0.12, z, kerb);
    }
  }

  private marks(tile: (p: number[]) => Soup): void {
    const white = this.tone("#ffffff", "#c3ccd6");
    for (const [x1, y1, x2, y2] of this.road!.stops) {
      const a = [x1 / 100, y1 / 100], b = [x2 / 100, y2 / 100];
      tile(a).band([a, b], 0.2, -0.2, 0.06, white);
    }
    for (const [x1, y1, x2, y2, width] of this.road!.walks) {
      const a = [x1 / 100, y1 / 100], b = [x2 / 100, y2 / 100];
      tile(a).band([a, b], width / 200, -width / 200, 0.055, white, [0.5, 0.5]);
    }
  }

  // ---- who is about ----

  private material(colour: string): THREE.MeshLambertMaterial {
    if (!this.materials.has(colour)) this.materials.set(colour, new THREE.MeshLambertMaterial({ color: colour }));
    return this.materials.get(colour)!;
  }

  private part(colour: string, l: number, w: number, h: number, x: number, y: number, z: number): THREE.Mesh {
    const mesh = new THREE.Mesh(this.box, this.material(colour));
    mesh.scale.set(l, w, h);
    mesh.position.set(x, y, z);
    return mesh;
  }

  private vehicle(l: number, w: number, h: number, colour: string, low: boolean): THREE.Group {
    const group = new THREE.Group();
    const glass = this.night ? "#0d1319" : "#2a323b";
    if (low) {
      group.add(this.part(colour, l, w, 0.55 * h, 0, 0, 0.42 * h));
      group.add(this.part(glass, 0.56 * l, 0.88 * w, 0.3 * h, -0.05 * l, 0, 0.83 * h));
      group.add(this.part(colour, 0.46 * l, 0.84 * w, 0.05 * h, -0.06 * l, 0, 0.99 * h));
    } else {
      group.add(this.part(colour, l, w, 0.88 * h, 0, 0, 0.56 * h));
      group.add(this.part(glass, 0.06, 0.86 * w, 0.3 * h, 0.5 * l, 0, 0.72 * h));
    }
    for (const side of [1, -1]) {
      const brake = new THREE.Mesh(this.box, new THREE.MeshBasicMaterial({ color: "#ff3b30" }));
      brake.scale.set(0.08, 0.24 * w, 0.16);
      brake.position.set(-0.5 * l - 0.02, 0.36 * side * w, 0.5 * Math.min(h, 1.5));
      brake.name = "brake";
      const blink = new THREE.Mesh(this.box, new THREE.MeshBasicMaterial({ color: "#ffb000" }));
      blink.scale.set(0.3, 0.12, 0.2);
      blink.name = side > 0 ? "left" : "right";
      for (const end of [0.44, -0.46]) {
        const lamp = blink.clone();
        lamp.position.set(end * l, 0.5 * side * w, 0.5 * Math.min(h, 1.5));
        group.add(lamp);
      }
      group.add(brake);
    }
    return group;
  }

  private body(kind: number, l: number, w: number): THREE.Group {
    const [day, night] = KIND_COLOUR[kind] ?? KIND_COLOUR[CAR];
    const colour = this.night ? night : day, h = HEIGHT[kind] ?? 1.5;
    if (kind === CAR) return this.vehicle(l, w, h, colour, true);
    if (kind === TRUCK || kind === BUS || kind === RAIL) return this.vehicle(l, w, h, colour, false);
    const group = new THREE.Group();
    if (kind === OBSTACLE) {
      group.add(this.part(colour, Math.max(0.4, l), Math.max(0.4, w), h, 0, 0, 0.5 * h));
      return group;
    }
    // somebody upright, on a bicycle or motorcycle or on foot; drawn no smaller than can be seen
    const person = new THREE.Mesh(new THREE.CapsuleGeometry(0.24, 0.8, 3, 8), this.material(colour));
    person.rotation.x = Math.PI / 2;
    person.position.z = kind === PEDESTRIAN ? 0.72 : 1.15;
    const head = new THREE.Mesh(new THREE.SphereGeometry(0.17, 8, 6), this.material(colour));
    head.position.z = kind === PEDESTRIAN ? 1.55 : 1.9;
    group.add(person, head);
    if (kind !== PEDESTRIAN) group.add(this.part("#3a424c", Math.max(1.5, l), kind === BICYCLE ? 0.14 : 0.5, 0.55, 0, 0, 0.4));
    return group;
  }

  private people(frame: Frame, dt: number): void {
    const here = new Set<number>();
    for (const user of frame.users) {
      const [uid, kind, x, y, h, v, accel, l, w, indicator] = user;
      here.add(uid);
      let group = this.crowd.get(uid);
      if (!group) {
        group = this.spare.get(kind * 1000 + Math.round(10 * l))?.pop() ?? this.body(kind, l, w);
        group.userData.key = kind * 1000 + Math.round(10 * l);
        this.crowd.set(uid, group);
        this.scene.add(group);
      }
      group.position.set(x + v * dt * Math.cos(h), y + v * dt * Math.sin(h), 0);
      group.rotation.z = h;
      lights(group, accel < -0.6, indicator, frame.t);
    }
    for (const [uid, group] of this.crowd) {
      if (here.has(uid)) continue;
      this.crowd.delete(uid);
      this.scene.remove(group);
      const key = group.userData.key as number;
      if (!this.spare.has(key)) this.spare.set(key, []);
      this.spare.get(key)!.push(group);
    }
    const hazard = frame.mode.hazard;
    lights(this.ego, frame.ego.accel < -0.6, hazard ? 3 : frame.ego.indicator, frame.t);
    this.arrows(frame.users);
  }

  private arrows(users: User[]): void {
    const ink = new THREE.Color(this.night ? "#e8eef5" : "#2c3540");
    const soup = new Growing(this.ahead);
    for (const user of users) {
      if (user.length < 12) continue;
      const h = user[4], nose = 0.5 * user[7];
      const line = [[user[2] + nose * Math.cos(h), user[3] + nose * Math.sin(h)], ...metres(user, 10)];
      for (let i = 0; i + 1 < line.length; i++) soup.strip(line[i], line[i + 1], 0.16 - 0.04 * i, 0.12, ink, 1 - 0.28 * i);
      const tip = line[line.length - 1], n = normal(line, line.length - 1);
      soup.triangle([tip[0] + 0.45 * n[0], tip[1] + 0.45 * n[1]], [tip[0] - 0.45 * n[0], tip[1] - 0.45 * n[1]], [tip[0] + 0.9 * n[1], tip[1] - 0.9 * n[0]], 0.12, ink, 0.5);
    }
    soup.end();
  }

  // ---- signals ----

  private signals(frame: Frame): void {
    const heads = this.road!.heads;
    let used = 0;
    for (let i = 0; i + 1 < frame.heads.length && used < 40; i += 2) {
      const head = heads[frame.heads[i]], state = frame.heads[i + 1];
      if (!head) continue;
      const each = this.lamps[used] ?? this.newLamp();
      used += 1;
      const [x, y, h, width] = head;
      each.group.visible = true;
      each.group.position.set(x / 100, y / 100, 0);
      each.group.rotation.z = h;
      const out = (this.road!.left_hand ? 1 : -1) * (width / 200 + 0.3);
      for (const child of each.group.children) if (child !== each.bar) child.position.y = out;
      each.bar.scale.set(0.5, width / 100 - 0.3, 0.05);
      (each.bar.material as THREE.MeshBasicMaterial).color.set(LAMP[state]);
      each.lamps.forEach((lamp, n) => {
        const lit = LIT[state].includes(n);
        (lamp.material as THREE.MeshBasicMaterial).color.set(lit ? LAMP[[1, 2, 3][n]] : "#20262d");
        lamp.scale.setScalar(lit ? 1.25 : 0.9);
      });
    }
    for (let i = used; i < this.lamps.length; i++) this.lamps[i].group.visible = false;
  }

  private newLamp() {
    const group = new THREE.Group();
    const pole = this.part("#4a535e", 0.12, 0.12, 3.0, 0, 0, 1.5);
    const box = this.part("#14181d", 0.3, 0.5, 1.35, 0, 0, 3.4);
    const lamps = [0, 1, 2].map((n) => {
      const lamp = new THREE.Mesh(new THREE.SphereGeometry(0.18, 10, 8), new THREE.MeshBasicMaterial());
      lamp.position.set(-0.16, 0, 3.82 - 0.42 * n);
      return lamp;
    });
    const bar = new THREE.Mesh(this.box, new THREE.MeshBasicMaterial());
    bar.position.z = 0.06;
    group.add(pole, box, ...lamps, bar);
    this.scene.add(group);
    const made = { group, lamps, bar };
    this.lamps.push(made);
    return made;
  }

  // ---- what it means to do ----

  private path(frame: Frame): void {
    const colours = this.colours!, mode = frame.mode;
    const alarm = mode.name === "MANOEUVRE" || mode.name === "EMERGENCY" || mode.name === "STANDSTILL";
    const colour = new THREE.Color(
      alarm ? colours.alarm : mode.name === "DEMAND" ? colours.warn : mode.drives ? colours.path : colours.ready,
    );
    const body = new Growing(this.ribbon), rim = new Growing(this.edge), fall = new Growing(this.back);
    if (frame.plan) {
      const line = metres(frame.plan.line);
      const half = 0.44 * this.road!.car.width_m;
      const front = this.road!.car.length_m * 0.5 + this.road!.car.centre_m;
      let way = 0;
      for (let i = 0; i + 1 < line.length; i++) {
        const long = Math.hypot(line[i + 1][0] - line[i][0], line[i + 1][1] - line[i][1]);
        if (long < 0.02) continue;
        const fade = 1 - 0.75 * (i / line.length);
        // who drives is told by the pattern, too: whole, in blocks, or in stripes
        const shown = mode.drives && !alarm && mode.name !== "DEMAND" ? true : alarm ? i % 2 === 0 : mode.name === "DEMAND" ? i % 4 < 3 : false;
        if (way + long > front * 0.4) {
          if (shown) body.strip(line[i], line[i + 1], half, 0.09, colour, fade, line, i);
          for (const side of [1, -1]) rim.side(line, i, side * half, 0.1, 0.1, colour, mode.drives || i % 3 < 2 ? fade : 0);
        }
        way += long;
      }
      const orange = new THREE.Color(this.night ? "#f2a33a" : "#b86a00");
      const safe = metres(frame.plan.fallback);
      for (let i = 0; i + 1 < safe.length; i += 2) fall.strip(safe[i], safe[i + 1], 0.1, 0.13, orange, 0.9);
      const [bx, by, bh] = frame.plan.fallback_end;
      const reach = this.road!.car.length_m * 0.5 + this.road!.car.centre_m;
      const ex = bx + reach * Math.cos(bh), ey = by + reach * Math.sin(bh);
      const nx = -Math.sin(bh), ny = Math.cos(bh);
      fall.strip([ex + 1.1 * nx, ey + 1.1 * ny], [ex - 1.1 * nx, ey - 1.1 * ny], 0.14, 0.13, orange, 1);
    }
    body.end();
    rim.end();
    fall.end();
  }

  /** The one who limits the speed now, or the place where we have to stop. */
  private highlight(frame: Frame): void {
    const why = frame.why;
    const user = why.uid === undefined ? undefined : frame.users.find((each) => each[0] === why.uid);
    this.ring.visible = user !== undefined;
    this.marked = null;
    const colour = this.night ? "#ffb03a" : "#d35400";
    if (user) {
      const [, kind, x, y, , , , l, w] = user;
      const size = Math.max(0.9, 0.56 * Math.hypot(l, w));
      this.ring.position.set(x, y, 0.18);
      this.ring.scale.set(size, size, 1.6);
      (this.ring.material as THREE.MeshBasicMaterial).color.set(colour);
      this.marked = new THREE.Vector3(x, y, (HEIGHT[kind] ?? 1.5) + 0.5);
    }
    const stop = why.stop;
    this.gate.visible = stop !== undefined && stop[3] < 90;
    if (stop && this.gate.visible) {
      if (!this.gate.children.length) this.makeGate();
      this.gate.position.set(stop[0], stop[1], 0);
      this.gate.rotation.z = stop[2];
      for (const child of this.gate.children) ((child as THREE.Mesh).material as THREE.MeshBasicMaterial).color.set(colour);
      if (!user) this.marked = new THREE.Vector3(stop[0], stop[1], 1.4);
    }
  }

  private makeGate(): void {
    for (let i = 0; i < 6; i++) {
      const bar = new THREE.Mesh(this.box, new THREE.MeshBasicMaterial({ transparent: true, opacity: i % 2 ? 0.25 : 0.85 }));
      bar.scale.set(0.12, 0.5, 0.85);
      bar.position.set(0, -1.25 + 0.5 * i, 0.5);
      this.gate.add(bar);
    }
  }
}

function lights(group: THREE.Group, brakes: boolean, indicator: number, t: number): void {
  const blink = t % 0.8 < 0.4;
  for (const child of group.children) {
    if (child.name === "brake") child.visible = brakes;
    else if (child.name === "left") child.visible = blink && (indicator === 1 || indicator === 3);
    else if (child.name === "right") child.visible = blink && (indicator === 2 || indicator === 3);
  }
}

const MOST = 6000;

function dynamic(opacity: number): THREE.Mesh {
  const geometry = new THREE.BufferGeometry();
  geometry.setAttribute("position", new THREE.BufferAttribute(new Float32Array(3 * MOST), 3).setUsage(THREE.DynamicDrawUsage));
  geometry.setAttribute("color", new THREE.BufferAttribute(new Float32Array(4 * MOST), 4).setUsage(THREE.DynamicDrawUsage));
  const material = new THREE.MeshBasicMaterial({ vertexColors: true, transparent: true, opacity, side: THREE.DoubleSide, depthWrite: false });
  const mesh = new THREE.Mesh(geometry, material);
  mesh.frustumCulled = false;
  return mesh;
}

/** Fills a mesh anew: as much as it holds, no more. */
class Growing {
  private n = 0;
  private place: THREE.BufferAttribute;
  private colour: THREE.BufferAttribute;

  constructor(private readonly mesh: THREE.Mesh) {
    this.place = mesh.geometry.getAttribute("position") as THREE.BufferAttribute;
    this.colour = mesh.geometry.getAttribute("color") as THREE.BufferAttribute;
  }

  triangle(a: number[], b: number[], c: number[], z: number, rgb: THREE.Color, alpha: number): void {
    if (this.n + 3 > MOST) return;
    for (const p of [a, b, c]) {
      this.place.setXYZ(this.n, p[0], p[1], z);
      this.colour.setXYZW(this.n, rgb.r, rgb.g, rgb.b, alpha);
      this.n += 1;
    }
  }

  /** From a to b; joined to its neighbours where the whole line is given. */
  strip(a: number[], b: number[], half: number, z: number, rgb: THREE.Color, alpha: number, line?: number[][], i = 0): void {
    const n0 = line ? normal(line, i) : normal([a, b], 0), n1 = line ? normal(line, i + 1) : n0;
    const al = [a[0] + half * n0[0], a[1] + half * n0[1]], ar = [a[0] - half * n0[0], a[1] - half * n0[1]];
    const bl = [b[0] + half * n1[0], b[1] + half * n1[1]], br = [b[0] - half * n1[0], b[1] - half * n1[1]];
    this.triangle(al, ar, br, z, rgb, alpha);
    this.triangle(al, br, bl, z, rgb, alpha);
  }

  side(line: number[][], i: number, aside: number, half: number, z: number, rgb: THREE.Color, alpha: number): void {
    if (alpha <= 0) return;
    const n0 = normal(line, i), n1 = normal(line, i + 1);
    const a = [line[i][0] + aside * n0[0], line[i][1] + aside * n0[1]];
    const b = [line[i + 1][0] + aside * n1[0], line[i + 1][1] + aside * n1[1]];
    this.strip(a, b, half, z + 0.01, rgb, alpha);
  }

  end(): void {
    this.place.needsUpdate = true;
    this.colour.needsUpdate = true;
    this.mesh.geometry.setDrawRange(0, this.n);
  }
}
