/**
 * `npm run bench`                  everything
 * `npm run bench -- <name> …`      benches whose path contains a name (kernel, engine, bloom, …)
 * `npm run bench -- --smoke`       everything, tiny: seconds
 * `npm run bench -- --json FILE`   also writes the measurements as JSON
 * `npm run bench -- --markdown FILE`  also writes them as a Markdown table
 */
import { readdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { measureKernelCase, type BenchCase, type BenchNote, type BenchOptions, type Measurement } from './harness.ts'
import { markdownReport, printHeader, printMeasurements, printNote } from './report.ts'

interface KernelBench {
  bench(): readonly BenchCase[]
}

/** Yields each bench's measurements as it completes. */
interface EngineBench {
  measure(options: BenchOptions): AsyncIterable<readonly Measurement[] | BenchNote>
}

const rooms = ['kernel', 'engine', 'key-value', 'key-value/ycsb', 'sql', 'http', 'cluster']

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { smoke: { type: 'boolean', default: false }, json: { type: 'string' }, markdown: { type: 'string' } } })
  const files = rooms.flatMap((room) => benchFiles(room)).filter((file) => positionals.length === 0 || positionals.some((name) => file.includes(name)))
  if (files.length === 0) throw new Error(`no bench is named ${positionals.join(' ')}; there are ${rooms.flatMap((room) => benchFiles(room)).join(', ')}`)
  printHeader()
  const all: (readonly Measurement[])[] = []
  const notes: BenchNote[] = []
  for (const file of files) {
    for await (const outcome of runBench(file, { smoke: values.smoke })) {
      if ('note' in outcome) {
        printNote(outcome)
        notes.push(outcome)
      } else {
        printMeasurements(outcome)
        all.push(outcome)
      }
    }
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ node: process.version, measurements: all.flat(), notes }, null, 2)}\n`)
  if (values.markdown !== undefined) writeFileSync(values.markdown, markdownReport(all, notes))
}

function benchFiles(room: string): string[] {
  return readdirSync(new URL(`./${room}/`, import.meta.url)).filter((file) => file.endsWith('.bench.ts')).sort().map((file) => `${room}/${file}`)
}

async function* runBench(file: string, options: BenchOptions): AsyncGenerator<readonly Measurement[] | BenchNote> {
  const module = (await import(new URL(file, import.meta.url).href)) as KernelBench | EngineBench
  if ('bench' in module) {
    const name = file.replace('.bench.ts', '')
    for (const each of module.bench()) yield measureKernelCase(name, each, options)
    return
  }
  yield* module.measure(options)
}

await main()
