#!/usr/bin/env node
/** The command line's composition root: what the process gives, handed to the rooms that need it. */
import { createRequire } from 'node:module'
import { runCommandLine } from './cli/program.ts'
import { openCluster } from './cluster/open-cluster.ts'
import { openDatabase } from './engine/open-database.ts'
import { systemClock } from './runtime/clock.ts'
import { systemRandom } from './runtime/random.ts'

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

// Which versions of Node lsmt runs on is said by lsmt; several lines by the AWS SDK would stand where one of ours is looked for.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'

// Where files may not grow any more (ulimit -f), writing is to fail, not to end the process.
process.on('SIGXFSZ', () => {})

// Whoever read our lines may be gone; that is no reason to stop serving.
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})

process.exitCode = await runCommandLine(process.argv.slice(2), {
  version,
  environment: process.env,
  clock: systemClock,
  openCluster: (request) => openCluster(request, { clock: systemClock, random: systemRandom }),
  openEngine: (request) => openDatabase(request, { clock: systemClock, random: systemRandom }),
  printLine: (line) => process.stdout.write(`${line}\n`),
  printError: (line) => process.stderr.write(`${line}\n`),
  terminal: { input: process.stdin, output: process.stdout, error: process.stderr },
  stopRequested: stopSignal(),
  onReload: (reload) => process.on('SIGHUP', () => void reload()),
})
