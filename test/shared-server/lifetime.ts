/** Vitest's global setup for a server that test files share: gives the run a folder for it, and stops it at the end, if anybody has started it. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const stopTimeoutMs = 10_000

/** `stateVariable` tells the run's processes the folder. */
export function sharedServerLifetime(name: string, stateVariable: string): () => () => Promise<void> {
  return () => {
    const state = mkdtempSync(join(tmpdir(), `lsmt-test-${name}-`))
    writeFileSync(join(state, 'runner'), String(process.pid))
    process.env[stateVariable] = state
    return async () => {
      const pidFile = join(state, 'pid')
      if (existsSync(pidFile)) await stop(name, Number(readFileSync(pidFile, 'utf8')))
      rmSync(state, { recursive: true, force: true })
    }
  }
}

async function stop(name: string, pid: number): Promise<void> {
  if (!isAlive(pid)) return
  process.kill(pid, 'SIGTERM')
  for (const endMs = Date.now() + stopTimeoutMs; isAlive(pid); await sleep(50)) if (Date.now() > endMs) throw new Error(`the ${name} server of the tests (process ${pid}) does not stop`)
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
