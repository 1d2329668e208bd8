/** Clients on a cluster, all at once, from one seed; what they saw, and what stands at the end. */
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../../../../src/runtime/random.ts'
import { groupRows, keys, liveOnGroups, liveOnRegisters, probe, readKeys } from './clients.ts'
import type { Client } from './clients.ts'
import type { Observed } from './observed.ts'
import { createRecorder } from './recorder.ts'
import { once, patienceMs, repeated } from './repeated.ts'
import { liveOnVersions } from './versions.ts'

export interface LoadOptions {
  readonly urls: readonly string[]
  readonly seed: number
  readonly registerClients: number
  readonly copies: number
}

export interface Load {
  /** Ends the clients, reads everything once more through every node, and tells all. Every node must be well by then. */
  stop(): Promise<Observed>
}

export async function startLoad({ urls, seed, registerClients, copies }: LoadOptions): Promise<Load> {
  const recorder = createRecorder(copies)
  let isOver = false
  let clientCount = 0
  const client = (name: string): Client => ({ urls, name, recorder, random: seededRandom(seed * 1_000 + clientCount++), isStopped: () => isOver })
  const setUp = client('set-up')
  for (const sql of ['CREATE TABLE IF NOT EXISTS groups (g BIGINT, i BIGINT, PRIMARY KEY (g, i))', "CREATE TABLE IF NOT EXISTS probes (i BIGINT PRIMARY KEY, n BIGINT) WITH (insert = 'upsert')"]) {
    if ((await repeated(setUp, sql)) === undefined) throw new Error(`the load cannot begin: ${JSON.stringify(recorder.observed())}`)
  }
  const running = Promise.all([
    ...Array.from({ length: registerClients }, (_, i) => liveOnRegisters(client(`r${i}`))),
    ...urls.map((_, node) => probe(client(`p${node}`), node)),
    ...[1, 2].map((first) => liveOnGroups(client(`g${first}`), first)),
    ...[1, 2].map((i) => liveOnVersions(client(`v${i}`))),
  ])
  let failure: unknown
  running.catch((cause: unknown) => { failure = cause })
  return {
    async stop() {
      isOver = true
      if (failure !== undefined) throw failure
      await running
      for (const [node, url] of urls.entries()) await readAll(client(`last-${node}`), url)
      return recorder.observed()
    },
  }
}

async function readAll(client: Client, url: string): Promise<void> {
  const insist = async (what: string, read: () => Promise<boolean>): Promise<void> => {
    for (const endMs = performance.now() + patienceMs; !(await read()); await sleep(100)) {
      if (performance.now() > endMs) return client.recorder.violation(`after everything, ${url} does not answer: ${what}`)
    }
  }
  await insist('all keys', () => readKeys(client, keys, url))
  await insist('all groups', async () => {
    const all = await once(client, url, 'SELECT g, COUNT(*) FROM groups GROUP BY g')
    if (all.kind !== 'answered') return false
    const counts = new Map(all.answer.rows.map(([group, count]) => [Number(group), Number(count)]))
    const lost = client.recorder.observed().groups.filter((group) => counts.get(group) !== groupRows)
    if (lost.length > 0) client.recorder.violation(`after everything, ${url} lacks rows of acknowledged groups ${lost.join(', ')}`)
    return true
  })
}
