/** Vitest's global setup for the S3 server that test files share: gives the run a folder for it, and stops it at the end, if anybody has started it. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { stateVariable } from './s3-server-state.ts'

const stopTimeoutMs = 10_000

export default function setup(): () => Promise<void> {
  const state = mkdtempSync(join(tmpdir(), 'lsmt-test-s3-'))
  writeFileSync(join(state, 'runner'), String(process.pid))
  process.env[stateVariable] = state
  return async () => {
    const pidFile = join(state, 'pid')
    if (existsSync(pidFile)) await stop(Number(readFileSync(pidFile, 'utf8')))
    rmSync(state, { recursive: true, force: true })
  }
}

async function stop(pid: number): Promise<void> {
  if (!isAlive(pid)) return
  process.kill(pid, 'SIGTERM')
  for (const endMs = Date.now() + stopTimeoutMs; isAlive(pid); await sleep(50)) if (Date.now() > endMs) throw new Error(`the S3 server of the tests (process ${pid}) does not stop`)
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
