/** Warnings for the ears. A browser lets a page sound only after it was touched once. */

import type { Brand } from "./types";

export class Sound {
  private context: AudioContext | null = null;
  private next_s = 0;
  private last = "";
  on = true;
  /** Tones that were asked for: what tests look at. */
  played: string[] = [];

  unlock(): void {
    this.context ??= new AudioContext();
    void this.context.resume();
  }

  get ready(): boolean {
    return this.context?.state === "running";
  }

  /** Called with every frame: repeats while the warning lasts, more urgently the worse it is. */
  warn(level: "" | "chime" | "warn" | "alarm", brand: Brand, now_s: number): void {
    if (level === "") {
      this.last = "";
      return;
    }
    if (level === this.last && (level === "chime" || now_s < this.next_s)) return;
    this.last = level;
    this.next_s = now_s + (level === "alarm" ? 0.5 : 1.2);
    this.played.push(level);
    if (this.played.length > 50) this.played.shift();
    const hz = { chime: brand.sounds.chime_hz, warn: brand.sounds.warn_hz, alarm: brand.sounds.alarm_hz }[level];
    const beeps = level === "chime" ? 1 : level === "warn" ? 2 : 3;
    // a warning is heard whatever the brand and the person would rather have
    const loud = level === "chime" ? (this.on ? brand.sounds.loudness : 0) : Math.max(0.6, brand.sounds.loudness);
    for (let i = 0; i < beeps; i++) this.beep(hz, 0.16 * i, 0.11, loud);
  }

  private beep(hz: number, after_s: number, long_s: number, loud: number): void {
    const context = this.context;
    if (!context || context.state !== "running" || loud <= 0) return;
    const at = context.currentTime + after_s;
    const tone = context.createOscillator();
    const gain = context.createGain();
    tone.type = "triangle";
    tone.frequency.value = hz;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(0.25 * loud, at + 0.012);
    gain.gain.setValueAtTime(0.25 * loud, at + long_s - 0.02);
    gain.gain.linearRampToValueAtTime(0, at + long_s);
    tone.connect(gain).connect(context.destination);
    tone.start(at);
    tone.stop(at + long_s);
  }
}
