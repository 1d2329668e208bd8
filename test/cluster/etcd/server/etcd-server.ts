/**
 * Real etcd for tests. One member is shared by all files of a run: whoever needs it first starts it, the run's end stops
 * it. Tests that kill members, or need them set up otherwise, start their own. `LSMT_TEST_ETCD=off` skips what needs one.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, describe } from 'vitest'
import type { EtcdSettings, EtcdTls } from '../../../../src/cluster/etcd/etcd-settings.ts'
import { createEtcdClient } from '../../../../src/cluster/etcd/etcd-client.ts'
import { freePorts, missingPrograms, sharedServer } from '../../../shared-server/shared-server.ts'
import { stateVariable } from './etcd-server-state.ts'

const startTimeoutMs = 60_000

/** A member that is slow on a busy machine is waited for: a write without an answer is an error, since it may be carried out yet. */
export const patientEtcd: Partial<EtcdSettings> = { deadlineMs: 20_000, attemptMs: 10_000 }
/** For tests in which etcd is not there. */
export const quickEtcd: Partial<EtcdSettings> = { deadlineMs: 1_500, attemptMs: 500 }

/** `describe` for what needs etcd. */
export function describeEtcd(name: string, tests: () => void): void {
  const isOff = process.env['LSMT_TEST_ETCD'] === 'off'
  if (isOff) console.warn(`skipped, since LSMT_TEST_ETCD=off: ${name}`)
  describe.skipIf(isOff)(name, tests)
}

/** Endpoints of the one that is shared; keys there may be other tests'. */
export const sharedEtcd = (): Promise<readonly string[]> =>
  sharedServer(stateVariable, async (state) => {
    const { child, endpoints } = await launch(join(state, 'etcd'), readFileSync(join(state, 'runner'), 'utf8'), { memberCount: 1 }, true)
    writeFileSync(join(state, 'pid'), String(child.pid))
    // Not a child to wait for: it serves other files of the run after this one, and ends with the run.
    child.unref()
    return endpoints
  })

export interface EtcdSetup {
  readonly memberCount: number
  /** Clients then speak https. */
  readonly tls?: EtcdTls
  readonly memberArguments?: readonly string[]
}

export interface OwnEtcd {
  readonly endpoints: readonly string[]
  /** To the member of that endpoint. */
  signal(endpoint: string, signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void
  /** The endpoint of the leader, as the members that answer see it. */
  leader(): Promise<string>
  stop(): Promise<void>
}

const own = new Set<ChildProcess>()
// Asked, not killed: the script ends its members. Should this process die, the script sees it.
afterAll(() => { for (const child of own) child.kill('SIGTERM') })

/** Ends with the file at the latest. */
export async function startEtcd(setup: EtcdSetup): Promise<OwnEtcd> {
  const folder = mkdtempSync(join(tmpdir(), 'lsmt-test-etcd-own-'))
  const { child, endpoints } = await launch(join(folder, 'etcd'), String(process.pid), setup, false)
  child.once('exit', () => own.delete(child))
  return {
    endpoints,
    signal: (endpoint, signal) => process.kill(Number(readFileSync(join(folder, 'etcd', `m${endpoints.indexOf(endpoint) + 1}.pid`), 'utf8')), signal),
    leader: () => leaderOf(endpoints),
    async stop() {
      const exited = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await exited
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function launch(folder: string, watched: string, { memberCount, tls, memberArguments = [] }: EtcdSetup, detached: boolean): Promise<{ readonly child: ChildProcess; readonly endpoints: readonly string[] }> {
  if (missingPrograms(['etcd']).length > 0) throw new Error('the tests over etcd need it, and it is not installed: apt-get install --no-install-recommends etcd-server; or set LSMT_TEST_ETCD=off to leave these tests out')
  mkdirSync(folder, { recursive: true })
  const ports = await freePorts(2 * memberCount)
  const scheme = tls === undefined ? 'http' : 'https'
  const pairs = Array.from({ length: memberCount }, (_, i) => `${ports[2 * i]}:${ports[2 * i + 1]}`)
  const log = openSync(join(folder, 'script.log'), 'w')
  const script = fileURLToPath(new URL('etcd.sh', import.meta.url))
  const child = spawn('bash', [script, folder, watched, scheme, pairs.join(' '), ...memberArguments], { detached, stdio: ['ignore', log, log] })
  if (!detached) own.add(child)
  const endpoints = pairs.map((pair) => `${scheme}://127.0.0.1:${pair.split(':')[0]}`)
  await untilHealthy(folder, child, endpoints, tls)
  return { child, endpoints }
}

/** Until every member answers a read that a majority confirms. */
async function untilHealthy(folder: string, child: ChildProcess, endpoints: readonly string[], tls: EtcdTls | undefined): Promise<void> {
  const said = (): string => readdirSync(folder).filter((name) => name.endsWith('.log')).map((name) => `${name}: ${readFileSync(join(folder, name), 'utf8')}`).join('\n')
  await Promise.all(endpoints.map(async (endpoint) => {
    const client = createEtcdClient({ endpoints: [endpoint], ...(tls !== undefined && { tls }), settings: { deadlineMs: 500 } })
    try {
      for (const endMs = Date.now() + startTimeoutMs; ; await sleep(20)) {
        const failure = await client.get('health').then(() => undefined, (cause: unknown) => (cause as Error).message)
        if (failure === undefined) return
        if (child.exitCode !== null || Date.now() > endMs) throw new Error(`etcd did not start: ${failure}. It said:\n${said()}`)
      }
    } finally {
      client.close()
    }
  }))
}

async function leaderOf(endpoints: readonly string[]): Promise<string> {
  for (const endMs = Date.now() + startTimeoutMs; Date.now() < endMs; await sleep(20)) {
    const states = await Promise.all(endpoints.map(async (endpoint) => {
      const told = await fetch(`${endpoint}/v3/maintenance/status`, { method: 'POST', body: '{}', signal: AbortSignal.timeout(300) }).then((answer) => answer.json(), () => undefined) as { leader?: string; header: { member_id: string } } | undefined
      return { endpoint, leader: told?.leader, id: told?.header.member_id }
    }))
    const leader = states.find(({ id, leader }) => id !== undefined && id === leader)
    if (leader !== undefined) return leader.endpoint
  }
  throw new Error('etcd has no leader')
}
