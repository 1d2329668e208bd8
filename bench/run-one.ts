/** A process of its own for one bench: sends what it measures to the runner, at last its largest resident size. */
import { measureKernelCase } from './harness.ts'
import type { BenchCase, BenchNote, BenchOptions, Measurement } from './harness.ts'

export type FromBench = { readonly measurements: readonly Measurement[] } | { readonly note: BenchNote } | { readonly peakMemoryBytes: number }

interface KernelBench {
  bench(): readonly BenchCase[]
}

/** Yields each bench's measurements as it completes. */
interface EngineBench {
  measure(options: BenchOptions): AsyncIterable<readonly Measurement[] | BenchNote>
}

/** Tiny ones take seconds, on a busy machine a minute: one that takes longer hangs. */
const smokeLimitMs = 300_000

const [file, ...flags] = process.argv.slice(2)
if (file === undefined || process.send === undefined) throw new Error('this is started by run.ts')
// Without the runner nobody wants the result.
process.once('disconnect', giveUp)

const send = (message: FromBench): Promise<void> =>
  new Promise((resolve, reject) => {
    process.send!(message, undefined, undefined, (error) => (error === null ? resolve() : reject(error)))
  })

async function* outcomes(path: string, options: BenchOptions): AsyncGenerator<readonly Measurement[] | BenchNote> {
  const module = (await import(new URL(path, import.meta.url).href)) as KernelBench | EngineBench
  if ('measure' in module) return yield* module.measure(options)
  const name = path.replace('.bench.ts', '')
  for (const each of module.bench()) yield measureKernelCase(name, each, options)
}

/** Ends this process, with the servers that it started: they are its group, or end when it exits. */
function giveUp(): never {
  if (process.platform !== 'win32') process.once('exit', () => process.kill(-process.pid, 'SIGKILL'))
  process.exit(1)
}

const smoke = flags.includes('--smoke')
if (smoke) {
  setTimeout(() => {
    console.error(`${file} is not done after ${smokeLimitMs / 1000} s; it waits for ${process.getActiveResourcesInfo().join(', ')}`)
    giveUp()
  }, smokeLimitMs).unref()
}
for await (const outcome of outcomes(file, { smoke })) await send('note' in outcome ? { note: outcome } : { measurements: outcome })
await send({ peakMemoryBytes: process.resourceUsage().maxRSS * 1024 })
process.exit(0)
