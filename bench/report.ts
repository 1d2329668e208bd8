/** Prints measurements as one table: each contestant beside the first of its bench. */
import { cpus } from 'node:os'
import type { BenchNote, Measurement } from './harness.ts'

export function printHeader(): void {
  console.log(machine())
  console.log(row(columns))
}

export function printNote({ bench, note }: BenchNote): void {
  console.log(`${bench}: ${note}`)
}

/** The same as a Markdown document. */
export function markdownReport(benches: readonly (readonly Measurement[])[], notes: readonly BenchNote[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const rows = benches.flatMap((measurements) => measurements.map((each) => line(cellsOf(each, measurements[0]!))))
  const remarks = notes.map(({ bench, note }) => `- ${bench}: ${note}`)
  return [machine(), '', line(columns), line(columns.map((_, i) => (i < 2 ? '---' : '---:'))), ...rows, '', ...remarks, ''].join('\n')
}

const columns = ['bench', 'contestant', 'median', 'ops/s', 'spread', 'ratio', 'answer']
const machine = (): string => `node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}`

/** `ratio` is how many times the bench's first contestant is faster than this one. */
export function printMeasurements(measurements: readonly Measurement[]): void {
  for (const each of measurements) console.log(row(cellsOf(each, measurements[0]!)))
}

function cellsOf(each: Measurement, first: Measurement): readonly string[] {
  const ratio = each === first ? '' : `${(each.medianNs / first.medianNs).toFixed(2)}x`
  return [each.bench, each.contestant, duration(each.medianNs), rate(each.operationsPerSecond), `${(each.spread * 100).toFixed(0)}%`, ratio, each.answerHash]
}

const widths = [58, 18, 12, 12, 8, 9, 12]
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
