/** The same scene, flat and from above: where a browser has no WebGL. */

import { metres, points } from "./mesh";
import type { Camera, View } from "./scene3d";
import type { Colours, Frame, Road } from "./types";

const LAMP = ["#8d939b", "#ff3b30", "#ffc233", "#35d657", "#8fe04f", "#ff8a2b", "#6c737c", "#d8d35a"];
const USER = ["#8b94a1", "#9a876a", "#c79a25", "#a55cbb", "#3d9c39", "#d9623a", "#9b5c5c", "#d03434"];

export class Scene2D implements View {
  private pen: CanvasRenderingContext2D;
  private road: Road | null = null;
  private ways: { kind: number; half: number; line: number[][]; low: number[]; high: number[] }[] = [];
  private colours: Colours | null = null;
  private night = false;
  private marked: { x: number; y: number } | null = null;
  private radius_m = 42;
  drawn = 0;

  constructor(private readonly canvas: HTMLCanvasElement) {
    this.pen = canvas.getContext("2d")!;
    this.size();
  }

  stage(road: Road): void {
    this.road = road;
    this.ways = road.lanes
      .map((lane) => {
        const line = points(lane, 3), xs = line.map((p) => p[0]), ys = line.map((p) => p[1]);
        return { kind: lane[0], half: lane[2] / 200, line, low: [Math.min(...xs), Math.min(...ys)], high: [Math.max(...xs), Math.max(...ys)] };
      })
      .sort((a, b) => (a.kind <= 1 ? 1 : 0) - (b.kind <= 1 ? 1 : 0));
  }

  paint(colours: Colours, night: boolean): void {
    this.colours = colours;
    this.night = night;
  }

  camera(which: Camera): void {
    this.radius_m = which === "top" ? 80 : which === "driver" ? 25 : 42;
  }

  size(): void {
    const ratio = Math.min(2, window.devicePixelRatio);
    this.canvas.width = this.canvas.clientWidth * ratio;
    this.canvas.height = this.canvas.clientHeight * ratio;
  }

  mark(): { x: number; y: number } | null {
    return this.marked;
  }

  show(frame: Frame): void {
    const { pen, colours, road } = this;
    if (!colours || !road) return;
    const { x, y, h } = frame.ego;
    const w = this.canvas.width, t = this.canvas.height, scale = t / (2 * this.radius_m);
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.fillStyle = colours.ground;
    pen.fillRect(0, 0, w, t);
    // up is where the car looks; it stands below the middle
    const turn = Math.PI / 2 - h, c = Math.cos(turn) * scale, s = Math.sin(turn) * scale;
    const place = (px: number, py: number): [number, number] => [w / 2 + (px - x) * c - (py - y) * s, 0.72 * t - (px - x) * s - (py - y) * c];
    const stroke = (line: number[][], wide: number, colour: string, dash: number[] = []) => {
      pen.strokeStyle = colour;
      pen.lineWidth = wide;
      pen.setLineDash(dash);
      pen.beginPath();
      line.forEach((p, i) => (i ? pen.lineTo(...place(p[0], p[1])) : pen.moveTo(...place(p[0], p[1]))));
      pen.stroke();
    };
    const far = 2 * this.radius_m;
    for (const way of this.ways) {
      if (way.low[0] > x + far || way.high[0] < x - far || way.low[1] > y + far || way.high[1] < y - far) continue;
      stroke(way.line, 2 * way.half * scale, way.kind <= 1 ? (this.night ? "#26303a" : "#aeb6c0") : this.night ? "#1b232b" : "#cfd3d8");
    }
    for (const [x1, y1, x2, y2] of road.stops) if (Math.hypot(x1 / 100 - x, y1 / 100 - y) < far) stroke([[x1 / 100, y1 / 100], [x2 / 100, y2 / 100]], 0.35 * scale, "#ffffff");
    for (const [x1, y1, x2, y2, wide] of road.walks)
      if (Math.hypot(x1 / 100 - x, y1 / 100 - y) < far) stroke([[x1 / 100, y1 / 100], [x2 / 100, y2 / 100]], (wide / 100) * scale, "#ffffff", [0.5 * scale, 0.5 * scale]);
    for (let i = 0; i + 1 < frame.heads.length; i += 2) {
      const head = road.heads[frame.heads[i]];
      const [hx, hy] = [head[0] / 100, head[1] / 100], n = head[3] / 200, sn = -Math.sin(head[2]), cs = Math.cos(head[2]);
      stroke([[hx + n * sn, hy + n * cs], [hx - n * sn, hy - n * cs]], 0.7 * scale, LAMP[frame.heads[i + 1]]);
    }
    const alarm = ["MANOEUVRE", "EMERGENCY", "STANDSTILL"].includes(frame.mode.name);
    const tone = alarm ? colours.alarm : frame.mode.name === "DEMAND" ? colours.warn : frame.mode.drives ? colours.path : colours.ready;
    if (frame.plan) {
      pen.globalAlpha = 0.7;
      stroke(metres(frame.plan.line), 0.88 * road.car.width_m * scale, tone, alarm ? [8, 8] : frame.mode.drives ? [] : [14, 10]);
      pen.globalAlpha = 1;
      stroke(metres(frame.plan.fallback), 3, "#d08020", [10, 6]);
    }
    this.marked = null;
    for (const user of frame.users) {
      const [uid, kind, ux, uy, uh, , , l, wide] = user;
      if (user.length >= 12) stroke([[ux, uy], ...metres(user, 10)], 2, this.night ? "#e8eef5" : "#2c3540");
      this.box(place, ux, uy, uh, Math.max(0.8, l), Math.max(0.8, wide), USER[kind], colours.ink);
      if (uid === frame.why.uid) {
        const [mx, my] = place(ux, uy), ratio = w / this.canvas.clientWidth;
        pen.setLineDash([]);
        pen.strokeStyle = this.night ? "#ffb03a" : "#d35400";
        pen.lineWidth = 4;
        pen.beginPath();
        pen.arc(mx, my, 0.7 * l * scale + 8, 0, 7);
        pen.stroke();
        this.marked = { x: mx / ratio, y: my / ratio - 24 };
      }
    }
    const reach = road.car.centre_m;
    this.box(place, x + reach * Math.cos(h), y + reach * Math.sin(h), h, road.car.length_m, road.car.width_m, colours.accent, colours.panel);
    this.drawn += 1;
  }

  private box(place: (x: number, y: number) => [number, number], x: number, y: number, h: number, l: number, w: number, fill: string, rim: string): void {
    const { pen } = this, c = Math.cos(h), s = Math.sin(h);
    const corners = [[0.5, 0.3], [0.35, 0.5], [-0.5, 0.5], [-0.5, -0.5], [0.35, -0.5], [0.5, -0.3]];
    pen.setLineDash([]);
    pen.beginPath();
    corners.forEach(([a, b], i) => {
      const p = place(x + a * l * c - b * w * s, y + a * l * s + b * w * c);
      if (i) pen.lineTo(...p);
      else pen.moveTo(...p);
    });
    pen.closePath();
    pen.fillStyle = fill;
    pen.fill();
    pen.strokeStyle = rim;
    pen.lineWidth = 1.5;
    pen.stroke();
  }
}
