/** Prints measurements as one table: each contestant beside the first of its bench. */
import { cpus } from 'node:os'
import type { Measurement } from './harness.ts'

export function printHeader(): void {
  console.log(`node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}`)
  console.log(row(['bench', 'contestant', 'median', 'ops/s', 'spread', 'ratio', 'answer']))
}

/** `ratio` is how many times the bench's first contestant is faster than this one. */
export function printMeasurements(measurements: readonly Measurement[]): void {
  const first = measurements[0]
  for (const each of measurements) {
    const ratio = first === undefined || each === first ? '' : `${(each.medianNs / first.medianNs).toFixed(2)}x`
    console.log(row([each.bench, each.contestant, duration(each.medianNs), rate(each.operationsPerSecond), `${(each.spread * 100).toFixed(0)}%`, ratio, each.answerHash]))
  }
}

const widths = [44, 18, 12, 12, 8, 9, 12]
const row = (cells: readonly string[]): string => cells.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' ')

function duration(nanoseconds: number): string {
  if (nanoseconds < 1e3) return `${nanoseconds.toFixed(1)} ns`
  if (nanoseconds < 1e6) return `${(nanoseconds / 1e3).toFixed(1)} µs`
  return `${(nanoseconds / 1e6).toFixed(1)} ms`
}

function rate(perSecond: number): string {
  if (perSecond >= 1e9) return `${(perSecond / 1e9).toFixed(2)}G`
  if (perSecond >= 1e6) return `${(perSecond / 1e6).toFixed(2)}M`
  if (perSecond >= 1e3) return `${(perSecond / 1e3).toFixed(1)}k`
  return perSecond.toFixed(1)
}
