/** Prints measurements as one table: each contestant beside the first of its bench. */
import { machine } from './environment.ts'
import type { BenchNote, Measurement } from './harness.ts'

export function printHeader(): void {
  console.log(machine())
  console.log(row(columns))
}

export function printNote({ bench, note }: BenchNote): void {
  console.log(`${bench}: ${note}`)
}

const columns = ['bench', 'contestant', 'median', 'ops/s', 'spread', 'ratio', 'cpu', 'memory', 'disk', 'answer']
export const markdownColumns: readonly string[] = columns

/** `ratio` is how many times the bench's first contestant is faster than this one. */
export function printMeasurements(measurements: readonly Measurement[]): void {
  for (const each of measurements) console.log(row(markdownCells(each, measurements[0]!)))
}

export function markdownCells(each: Measurement, first: Measurement): readonly string[] {
  const ratio = each === first ? '' : `${(each.medianNs / first.medianNs).toFixed(2)}x`
  return [each.bench, each.contestant, duration(each.medianNs), rate(each.operationsPerSecond), `${(each.spread * 100).toFixed(0)}%`, ratio, cpu(each, first), size(each.peakMemoryBytes), size(each.diskBytes), each.answerHash]
}

/** Processor time, and how many times that of the first contestant it is. */
function cpu({ cpuMedianNs }: Measurement, { cpuMedianNs: firstNs }: Measurement): string {
  if (cpuMedianNs === undefined) return ''
  return firstNs === undefined || firstNs === cpuMedianNs ? duration(cpuMedianNs) : `${duration(cpuMedianNs)}, ${(cpuMedianNs / firstNs).toFixed(2)}x`
}

const size = (bytes: number | undefined): string => (bytes === undefined ? '' : megabytes(bytes))
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

const widths = [58, 18, 12, 12, 8, 9, 18, 11, 11, 12]
const row = (cells: readonly string[]): string => cells.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' ')

function duration(nanoseconds: number): string {
  if (nanoseconds < 1e3) return `${nanoseconds.toFixed(1)} ns`
  if (nanoseconds < 1e6) return `${(nanoseconds / 1e3).toFixed(1)} µs`
  if (nanoseconds < 1e9) return `${(nanoseconds / 1e6).toFixed(1)} ms`
  return `${(nanoseconds / 1e9).toFixed(2)} s`
}

function rate(perSecond: number): string {
  if (perSecond >= 1e9) return `${(perSecond / 1e9).toFixed(2)}G`
  if (perSecond >= 1e6) return `${(perSecond / 1e6).toFixed(2)}M`
  if (perSecond >= 1e3) return `${(perSecond / 1e3).toFixed(1)}k`
  return perSecond.toFixed(1)
}
