#!/usr/bin/env node
/** The command line's composition root: what the process gives, handed to the rooms that need it. */
import { createRequire } from 'node:module'
import { runCommandLine } from './cli/program.ts'
import type { OpenRequest } from './cli/host.ts'
import type { Engine } from './engine/engine.ts'
import { openEngine } from './engine/open-engine.ts'
import { systemClock } from './runtime/clock.ts'
import { systemRandom } from './runtime/random.ts'
import { openStorage } from './storage/open-storage.ts'

/** The engine over a local directory; closing it closes the directory too. */
async function openLocalEngine({ dataDir, settings, isShardCountGiven }: OpenRequest): Promise<Engine> {
  const storageAddress = { kind: 'local', directory: dataDir } as const
  const storage = await openStorage(storageAddress)
  try {
    const engine = await openEngine({ storage, settings, clock: systemClock, random: systemRandom, storageAddress, isShardCountGiven })
    return {
      ...engine,
      get catalogVersion() {
        return engine.catalogVersion
      },
      async close() {
        await engine.close()
        await storage.close()
      },
    }
  } catch (error) {
    await storage.close()
    throw error
  }
}

const { version } = createRequire(import.meta.url)('../package.json') as { readonly version: string }

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false
    const onSignal = (): void => {
      if (asked) process.exit(1)
      asked = true
      resolve()
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
}

// Where files may not grow any more (ulimit -f), writing is to fail, not to end the process.
process.on('SIGXFSZ', () => {})

// Whoever read our lines may be gone; that is no reason to stop serving.
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})

process.exitCode = await runCommandLine(process.argv.slice(2), {
  version,
  environment: process.env,
  clock: systemClock,
  openEngine: openLocalEngine,
  printLine: (line) => process.stdout.write(`${line}\n`),
  printError: (line) => process.stderr.write(`${line}\n`),
  terminal: { input: process.stdin, output: process.stdout, error: process.stderr },
  stopRequested: stopSignal(),
  onReload: (reload) => process.on('SIGHUP', () => void reload()),
})
