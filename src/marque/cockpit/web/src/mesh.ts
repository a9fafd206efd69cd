/** Geometry from lists of numbers: a growing triangle soup with one colour per corner. */

import * as THREE from "three";

export class Soup {
  private place: number[] = [];
  private colour: number[] = [];

  quad(a: number[], b: number[], c: number[], d: number[], z: number, rgb: THREE.Color): void {
    for (const p of [a, b, c, a, c, d]) {
      this.place.push(p[0], p[1], z);
      this.colour.push(rgb.r, rgb.g, rgb.b);
    }
  }

  /** A band along a line, `left` and `right` metres beside it; dashed if `dash` is given. */
  band(line: number[][], left: number, right: number, z: number, rgb: THREE.Color, dash?: [number, number]): void {
    let way = 0;
    for (let i = 0; i + 1 < line.length; i++) {
      const [x0, y0] = line[i], [x1, y1] = line[i + 1];
      const long = Math.hypot(x1 - x0, y1 - y0);
      if (long < 1e-6) continue;
      const n0 = normal(line, i), n1 = normal(line, i + 1);
      const at = (t: number, side: number): number[] => {
        const nx = n0[0] + (n1[0] - n0[0]) * t, ny = n0[1] + (n1[1] - n0[1]) * t;
        return [x0 + (x1 - x0) * t + side * nx, y0 + (y1 - y0) * t + side * ny];
      };
      if (!dash) {
        this.quad(at(0, left), at(0, right), at(1, right), at(1, left), z, rgb);
      } else {
        const [on, off] = dash;
        for (let s = -(way % (on + off)); s < long; s += on + off) {
          const a = Math.max(0, s) / long, b = Math.min(long, s + on) / long;
          if (b > a) this.quad(at(a, left), at(a, right), at(b, right), at(b, left), z, rgb);
        }
      }
      way += long;
    }
  }

  get empty(): boolean {
    return this.place.length === 0;
  }

  geometry(): THREE.BufferGeometry {
    const made = new THREE.BufferGeometry();
    made.setAttribute("position", new THREE.Float32BufferAttribute(this.place, 3));
    made.setAttribute("color", new THREE.Float32BufferAttribute(this.colour, 3));
    made.computeBoundingSphere();
    return made;
  }
}

/** Unit vector to the left of a line at one of its points. */
export function normal(line: number[][], i: number): [number, number] {
  const a = line[Math.max(0, i - 1)], b = line[Math.min(line.length - 1, i + 1)];
  const dx = b[0] - a[0], dy = b[1] - a[1];
  const long = Math.hypot(dx, dy) || 1;
  return [-dy / long, dx / long];
}

/** [x0, y0, x1, y1, ...] in centimetres as points in metres. */
export function points(flat: number[], from = 0): number[][] {
  const found: number[][] = [];
  for (let i = from; i + 1 < flat.length; i += 2) found.push([flat[i] / 100, flat[i + 1] / 100]);
  return found;
}

/** The same in metres. */
export function metres(flat: number[], from = 0): number[][] {
  const found: number[][] = [];
  for (let i = from; i + 1 < flat.length; i += 2) found.push([flat[i], flat[i + 1]]);
  return found;
}
