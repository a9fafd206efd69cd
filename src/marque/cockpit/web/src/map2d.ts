/** The trip from above, north up: the way, what is driven, other ways, where we are. */

import { points } from "./mesh";
import type { Colours, Frame, Road } from "./types";

export class TripMap {
  private pen: CanvasRenderingContext2D;
  private back = document.createElement("canvas");
  private road: Road | null = null;
  private colours: Colours | null = null;
  private driven: [number, number][] = [];
  private middle: [number, number] = [0, 0];
  private scale = 1;

  constructor(private readonly canvas: HTMLCanvasElement, chosen: (x: number, y: number) => void) {
    this.pen = canvas.getContext("2d")!;
    canvas.addEventListener("click", (click) => {
      const box = canvas.getBoundingClientRect();
      const ratio = canvas.width / box.width;
      chosen(
        this.middle[0] + ((click.clientX - box.left) * ratio - canvas.width / 2) / this.scale,
        this.middle[1] - ((click.clientY - box.top) * ratio - canvas.height / 2) / this.scale,
      );
    });
  }

  stage(road: Road): void {
    this.road = road;
    this.driven = [];
    this.size();
  }

  paint(colours: Colours): void {
    this.colours = colours;
    this.redraw();
  }

  size(): void {
    const ratio = Math.min(2, window.devicePixelRatio);
    this.canvas.width = Math.max(1, this.canvas.clientWidth * ratio);
    this.canvas.height = Math.max(1, this.canvas.clientHeight * ratio);
    this.redraw();
  }

  /** Where a place is on the page, from the canvas's corner. */
  onPage(p: ArrayLike<number>): [number, number] {
    const [x, y] = this.at(p), ratio = this.canvas.width / this.canvas.clientWidth;
    return [x / ratio, y / ratio];
  }

  /** The trail starts anew after a jump in a replay. */
  jumped(): void {
    this.driven = [];
  }

  private redraw(): void {
    const { road, colours } = this;
    if (!road || !colours) return;
    const w = this.canvas.width, h = this.canvas.height;
    const all = [...points(road.route), road.start, road.goal, ...(road.ways ?? []).flatMap((way) => points(way.line))];
    const xs = all.map((p) => p[0]), ys = all.map((p) => p[1]);
    const low = [Math.min(...xs), Math.min(...ys)], high = [Math.max(...xs), Math.max(...ys)];
    this.middle = [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2];
    this.scale = Math.min(w / (high[0] - low[0] + 160), h / (high[1] - low[1] + 160));
    this.back.width = w;
    this.back.height = h;
    const pen = this.back.getContext("2d")!;
    pen.fillStyle = colours.panel;
    pen.fillRect(0, 0, w, h);
    pen.lineCap = "round";
    for (const lane of road.lanes) {
      if (lane[0] > 1) continue;
      this.line(pen, points(lane, 3), Math.max(1, (lane[2] / 100) * this.scale), mix(colours.ink, colours.panel, 0.2));
    }
    for (const way of road.ways ?? []) this.line(pen, points(way.line), 3, mix(colours.accent, colours.panel, 0.75), [6, 7]);
    this.line(pen, points(road.route), 7, colours.accent);
    const [gx, gy] = this.at(road.goal);
    pen.fillStyle = colours.ink;
    pen.fillRect(gx - 2, gy - 24, 4, 24);
    for (let i = 0; i < 2; i++)
      for (let j = 0; j < 3; j++) {
        pen.fillStyle = (i + j) % 2 ? colours.panel : colours.ink;
        pen.fillRect(gx + 2 + 7 * j, gy - 24 + 7 * i, 7, 7);
      }
    const [sx, sy] = this.at(road.start);
    pen.strokeStyle = colours.accent;
    pen.fillStyle = colours.panel;
    pen.lineWidth = 4;
    pen.beginPath();
    pen.arc(sx, sy, 7, 0, 7);
    pen.fill();
    pen.stroke();
  }

  private at(p: ArrayLike<number>): [number, number] {
    return [
      this.canvas.width / 2 + (p[0] - this.middle[0]) * this.scale,
      this.canvas.height / 2 - (p[1] - this.middle[1]) * this.scale,
    ];
  }

  private line(pen: CanvasRenderingContext2D, line: ArrayLike<number>[], wide: number, colour: string, dash: number[] = []): void {
    if (line.length < 2) return;
    pen.strokeStyle = colour;
    pen.lineWidth = wide;
    pen.setLineDash(dash);
    pen.beginPath();
    line.forEach((p, i) => (i ? pen.lineTo(...this.at(p)) : pen.moveTo(...this.at(p))));
    pen.stroke();
    pen.setLineDash([]);
  }

  show(frame: Frame): void {
    const { pen, colours } = this;
    if (!colours || !this.road) return;
    const { x, y, h } = frame.ego;
    const last = this.driven[this.driven.length - 1];
    if (!last || Math.hypot(x - last[0], y - last[1]) > 3) this.driven.push([x, y]);
    pen.drawImage(this.back, 0, 0);
    this.line(pen, this.driven, 5, colours.active);
    const [px, py] = this.at([x, y]);
    pen.save();
    pen.translate(px, py);
    pen.rotate(-h);
    pen.beginPath();
    pen.moveTo(15, 0);
    pen.lineTo(-10, 9);
    pen.lineTo(-5, 0);
    pen.lineTo(-10, -9);
    pen.closePath();
    pen.fillStyle = colours.ink;
    pen.strokeStyle = colours.panel;
    pen.lineWidth = 3;
    pen.stroke();
    pen.fill();
    pen.restore();
  }
}

/** `share` of one colour over another. */
export function mix(one: string, other: string, share: number): string {
  const part = (c: string, i: number) => parseInt(c.slice(i, i + 2), 16);
  const joined = [1, 3, 5].map((i) => Math.round(share * part(one, i) + (1 - share) * part(other, i)));
  return `rgb(${joined.join(",")})`;
}
