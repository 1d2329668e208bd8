/** A server that test files of one run share: whoever needs it first starts it, the others wait until it stands. */
import { randomInt } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const startTimeoutMs = 100_000

/** What `start` told, plain data; its failure is everybody's. It gets the run's folder, and leaves the server's process id in `pid` there. */
export async function sharedServer<T>(stateVariable: string, start: (state: string) => Promise<T>): Promise<T> {
  const state = process.env[stateVariable]
  if (state === undefined) throw new Error(`${stateVariable} is not set: it is vitest's globalSetup that sets it`)
  const ready = join(state, 'server.json')
  if (isFirst(state)) {
    try {
      const server = await start(state)
      writeFileSync(`${ready}.new`, JSON.stringify({ server }))
    } catch (cause) {
      writeFileSync(`${ready}.new`, JSON.stringify({ failure: cause instanceof Error ? cause.message : String(cause) }))
    }
    renameSync(`${ready}.new`, ready)
  }
  for (const endMs = Date.now() + startTimeoutMs; !existsSync(ready); await sleep(50)) if (Date.now() > endMs) throw new Error('the server that another test file was to start did not come')
  const told = JSON.parse(readFileSync(ready, 'utf8')) as { readonly server: T; readonly failure?: string }
  if (told.failure !== undefined) throw new Error(told.failure)
  return told.server
}

/** Making a folder is atomic: one process of the run is first. */
function isFirst(state: string): boolean {
  try {
    mkdirSync(join(state, 'starting'))
    return true
  } catch {
    return false
  }
}

/** Those of the programs that are on no PATH. */
export function missingPrograms(programs: readonly string[]): readonly string[] {
  const folders = (process.env['PATH'] ?? '').split(':')
  return programs.filter((program) => !folders.some((folder) => existsSync(join(folder, program))))
}

/** Systems give those from here on to whoever asks for any port. */
const firstGivenPort = 32_768, firstPort = 10_000

/** Ports that nobody listens on, and that nobody else is given before somebody does, or between two starts of it. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>()
  while (ports.size < count) {
    const port = randomInt(firstPort, firstGivenPort)
    if (await isFree(port)) ports.add(port)
  }
  return [...ports]
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false)).listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
