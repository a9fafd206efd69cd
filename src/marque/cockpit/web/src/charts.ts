/** Curves of the drive: speed under its limit, acceleration along and across. */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Colours, Frame } from "./types";

export interface Columns {
  t: number[];
  mps: number[];
  limit_mps: (number | null)[];
  accel: number[];
  lat: number[];
  jerk: number[];
  why: string[];
}

export class Charts {
  private plots: uPlot[] = [];
  private columns: Columns = { t: [], mps: [], limit_mps: [], accel: [], lat: [], jerk: [], why: [] };
  private colours: Colours | null = null;
  private now_s = 0;
  private stale = true;

  constructor(private readonly holder: HTMLElement, private readonly chosen: (t_s: number) => void) {}

  get rows(): Columns {
    return this.columns;
  }

  load(columns: Columns): void {
    this.columns = columns;
    this.stale = true;
  }

  /** A frame that is newer than all rows is one more row. */
  add(frame: Frame): void {
    const { t } = this.columns;
    this.now_s = frame.t;
    if (t.length && frame.t <= t[t.length - 1] + 0.05) return;
    t.push(frame.t);
    this.columns.mps.push(frame.speed.mps);
    this.columns.limit_mps.push(frame.speed.limit_mps);
    this.columns.accel.push(frame.ego.accel);
    this.columns.lat.push(frame.ego.lat);
    this.columns.jerk.push(frame.ego.jerk);
    this.columns.why.push(frame.why.code);
    this.stale = true;
  }

  paint(colours: Colours): void {
    this.colours = colours;
    for (const plot of this.plots) plot.destroy();
    this.plots = [];
    this.stale = true;
  }

  private make(): void {
    const { colours, holder } = this;
    if (!colours) return;
    const wide = Math.max(200, holder.clientWidth / 2 - 8), tall = Math.max(110, holder.clientHeight - 44);
    const axis = { stroke: colours.ink, font: "20px sans-serif", grid: { stroke: colours.ground, width: 1 }, ticks: { show: false } };
    const options = (title: string, series: uPlot.Series[]): uPlot.Options => ({
      width: wide,
      height: tall,
      title,
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, points: { show: false } },
      scales: { x: { time: false } },
      axes: [{ ...axis, size: 34 }, { ...axis, size: 64 }],
      series: [{}, ...series],
      hooks: {
        ready: [(u) => u.over.addEventListener("click", () => this.chosen(u.posToVal(u.cursor.left ?? 0, "x")))],
        draw: [
          (u) => {
            const x = u.valToPos(this.now_s, "x", true);
            u.ctx.fillStyle = colours.accent;
            u.ctx.fillRect(x - 1.5, u.bbox.top, 3, u.bbox.height);
          },
        ],
      },
    });
    this.plots = [
      new uPlot(
        options("km/h", [
          { stroke: colours.active, width: 2.5 },
          { stroke: colours.alarm, width: 1.5, dash: [8, 6] },
        ]),
        [[], [], []],
        holder,
      ),
      new uPlot(
        options("m/s²", [
          { stroke: colours.accent, width: 2 },
          { stroke: colours.warn, width: 1.5, dash: [3, 4] },
        ]),
        [[], [], []],
        holder,
      ),
    ];
    this.stale = true;
  }

  show(): void {
    if (this.holder.hidden) return;
    if (!this.plots.length) this.make();
    const c = this.columns;
    if (this.stale && this.plots.length) {
      const kph = (v: number | null) => (v === null ? null : 3.6 * v);
      this.plots[0].setData([c.t, c.mps.map(kph), c.limit_mps.map(kph)] as uPlot.AlignedData);
      this.plots[1].setData([c.t, c.accel, c.lat] as uPlot.AlignedData);
      this.stale = false;
    } else for (const plot of this.plots) plot.redraw(false, false);
  }
}
