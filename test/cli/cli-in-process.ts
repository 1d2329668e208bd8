/** The command line within the test's process, over real directories: as `startCli`, without the time a process takes to start. */
import { PassThrough } from 'node:stream'
import { runCommandLine } from '../../src/cli/program.ts'
import type { CliHost } from '../../src/cli/host.ts'
import { openDatabase } from '../../src/engine/open-database.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { systemRandom } from '../../src/runtime/random.ts'
import type { CliRun } from './cli-process.ts'

/** `input` on standard input; neither stream is a terminal. */
export async function runHere(args: readonly string[], input: string | Uint8Array = '', more: Partial<CliHost> = {}): Promise<CliRun> {
  const streams = { input: new PassThrough(), output: new PassThrough(), error: new PassThrough() }
  streams.input.end(input)
  const out = collect(streams.output), err = collect(streams.error)
  const code = await runCommandLine(args, {
    version: '0.0.0', environment: {}, clock: systemClock, terminal: streams, stopRequested: new Promise(() => {}), onReload() {},
    printLine: (line) => streams.output.write(`${line}\n`),
    printError: (line) => streams.error.write(`${line}\n`),
    openEngine: ({ settings, ...request }) => openDatabase({ ...request, settings: { ...settings, workers: 0 } }, { clock: systemClock, random: systemRandom }),
    openCluster: () => Promise.reject(new Error('no cluster is opened here')),
    ...more,
  })
  return { code, out: out(), err: err() }
}

function collect(stream: PassThrough): () => string {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString()
}

export interface ServedHere {
  readonly url: string
  /** Resolves to how it ended, asked to or by itself. */
  readonly ended: Promise<CliRun>
  stop(): Promise<void>
}

/** A server within the test's process, until `stop`. */
export async function serveHere(dataDir: string, args: readonly string[] = [], more: Partial<CliHost> = {}): Promise<ServedHere> {
  let stop = (): void => {}
  const stopRequested = new Promise<void>((resolve) => (stop = resolve))
  let ended: Promise<CliRun> | undefined
  const url = await new Promise<string>((resolve, reject) => {
    ended = runHere(['serve', '--listen', '127.0.0.1:0', '--data-dir', dataDir, '--shards', '2', ...args], '', {
      stopRequested,
      printLine: (line) => resolve(/http\S+/.exec(line)?.[0] ?? ''),
      ...more,
    })
    ended.then(({ code, err }) => reject(new Error(`ended with ${code}: ${err}`)), reject)
  })
  return {
    url,
    ended: ended!,
    async stop() {
      stop()
      await ended
    },
  }
}
