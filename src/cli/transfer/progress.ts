/** A line on the terminal that tells how far a transfer is; nothing at all in a pipe. The door to cli-progress. */
import { Presets, SingleBar } from 'cli-progress'
import type { Clock } from '../../runtime/clock.ts'
import type { TerminalOutput } from '../host.ts'

export interface Progress {
  /** `done` of the bytes (or rows) there are. */
  update(done: number): void
  stop(): void
}

const silent: Progress = { update() {}, stop() {} }

/** `total` is 0 where nobody knows it: then there is no bar and no time left, only what was done and how fast. */
export function startProgress(output: TerminalOutput, clock: Clock, total: number, unit: 'bytes' | 'rows'): Progress {
  if (output.isTTY !== true) return silent
  const show = unit === 'bytes' ? megabytes : (count: number): string => count.toLocaleString('en')
  const format = total > 0 ? '{bar} {percentage} % of {size}, {rate}, {left} left' : '{done}, {rate}'
  const bar = new SingleBar({ stream: output, format, hideCursor: true, clearOnComplete: true, fps: 5 }, Presets.shades_classic)
  const startMs = clock.monotonicMs()
  const payload = (done: number): Record<string, string> => {
    const rate = done / Math.max((clock.monotonicMs() - startMs) / 1000, 0.001)
    return { size: show(total), done: show(done), rate: `${show(Math.round(rate))}/s`, left: rate > 0 ? duration((total - done) / rate) : '?' }
  }
  bar.start(total || 1, 0, payload(0))
  return {
    update: (done) => bar.update(Math.min(done, total || 1), payload(done)),
    stop: () => bar.stop(),
  }
}

function megabytes(bytes: number): string {
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`
}

function duration(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds))
  if (whole < 60) return `${whole} s`
  return whole < 3600 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}
