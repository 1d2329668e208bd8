/**
 * `npm run bench`                     everything; writes bench/results.json and bench/RESULTS.md
 * `npm run bench -- <name> …`         benches whose path contains a name (kernel, engine, bloom, …)
 * `npm run bench -- <name> … --save`  and replaces what those files have of them
 * `npm run bench -- --smoke`          everything, tiny: seconds
 * `npm run bench -- --results FOLDER` writes the files there instead
 *
 * Each bench is a process of its own, so that none finds the memory and the compiled code of others. They run one after
 * the other; tiny ones side by side, since nobody looks at their times.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { commandLine, machine } from './environment.ts'
import type { BenchNote, Measurement } from './harness.ts'
import { printHeader, printMeasurements, printNote } from './report.ts'
import { writeResults } from './results.ts'
import type { BenchRun } from './results.ts'
import type { FromBench } from './run-one.ts'

const rooms = ['kernel', 'engine', 'key-value', 'key-value/ycsb', 'sql', 'http', 'server', 'scale', 'cluster']
const here = fileURLToPath(new URL('.', import.meta.url))

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { smoke: { type: 'boolean', default: false }, save: { type: 'boolean', default: false }, results: { type: 'string' } } })
  const every = rooms.flatMap(benchFiles)
  const files = every.filter((file) => positionals.length === 0 || positionals.some((name) => file.includes(name)))
  if (files.length === 0) throw new Error(`no bench is named ${positionals.join(' ')}; there are ${every.join(', ')}`)
  printHeader()
  const folder = values.results ?? (values.save || (!values.smoke && positionals.length === 0) ? here : undefined)
  // Tiny ones mostly wait, for servers and clusters above all, which come last in the list.
  const waiting = values.smoke ? files.toReversed() : [...files]
  const next = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const run = await runBench(file, values.smoke)
      if (folder !== undefined) writeResults(folder, run, every)
    }
  }
  await Promise.all(Array.from({ length: values.smoke ? 2 * availableParallelism() : 1 }, next))
}

function benchFiles(room: string): string[] {
  return readdirSync(new URL(`./${room}/`, import.meta.url)).filter((file) => file.endsWith('.bench.ts')).sort().map((file) => `${room}/${file}`)
}

async function runBench(file: string, smoke: boolean): Promise<BenchRun> {
  const child = fork(new URL('run-one.ts', import.meta.url), [file, ...(smoke ? ['--smoke'] : [])], { execArgv: ['--import', 'tsx'], detached: true })
  // Its last messages may be read after its exit, but before the channel is closed.
  const ended = Promise.all([once(child, 'exit'), once(child, 'disconnect')])
  const startMs = performance.now(), startedAt = new Date().toISOString(), loadAverage = loadavg()[0]!
  const measurements: Measurement[] = [], notes: BenchNote[] = []
  let peakMemoryBytes: number | undefined
  child.on('message', (message: FromBench) => {
    if ('peakMemoryBytes' in message) peakMemoryBytes = message.peakMemoryBytes
    else if ('note' in message) {
      printNote(message.note)
      notes.push(message.note)
    } else {
      printMeasurements(message.measurements)
      measurements.push(...message.measurements)
    }
  })
  const [[code, signal]] = (await ended) as [[number | null, string | null], unknown]
  if (code !== 0 || peakMemoryBytes === undefined) throw new Error(`${file} ended with ${signal ?? code}`)
  return { file, startedAt, command: commandLine(file, smoke), machine: machine(), loadAverage, seconds: Math.round((performance.now() - startMs) / 100) / 10, peakMemoryBytes, measurements, notes }
}

await main()
