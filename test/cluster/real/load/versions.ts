/** Clients that count up a key of their own and read it back from any node, at the levels that need not be the newest. */
import { setTimeout as sleep } from 'node:timers/promises'
import { nowMs } from './call.ts'
import type { Client } from './clients.ts'
import { once, someUrl } from './repeated.ts'

const staleMsMax = 1_000

interface Counted {
  readonly key: string
  /** The last one that was written, known or not. */
  version: number
  /** The newest that the session wrote or read. */
  seen: number
  token: string | undefined
  readonly acknowledged: { readonly version: number; readonly atMs: number }[]
}

/** A write of unknown outcome may take effect after later ones, so another key is counted up then. */
export async function liveOnVersions(client: Client): Promise<void> {
  for (let count = 0; !client.isStopped(); count++) await countUp(client, { key: `version ${count} of ${client.name}`, version: 0, seen: 0, token: undefined, acknowledged: [] })
}

/** Writes and reads in turn. A read of the session has all that the session wrote or read before, a stale one what was acknowledged a while before it began. */
async function countUp(client: Client, counted: Counted): Promise<void> {
  for (; !client.isStopped(); await sleep(20)) {
    const written = await once(client, someUrl(client), `INSERT INTO kv VALUES ('${counted.key}', '${++counted.version}')`)
    if (written.kind === 'unknown') return
    if (written.kind === 'answered') {
      counted.acknowledged.push({ version: counted.version, atMs: nowMs() })
      counted.token = written.session ?? counted.token
      counted.seen = counted.version
    }
    await readInSession(client, counted)
    await readStale(client, counted)
  }
}

async function readInSession(client: Client, counted: Counted): Promise<void> {
  const { key, token, seen, version } = counted, url = someUrl(client)
  const outcome = await once(client, url, `SELECT value FROM kv WHERE key = '${key}'`, { 'lsmt-consistency': 'session', ...(token !== undefined && { 'lsmt-session': token }) })
  if (outcome.kind !== 'answered' || token === undefined) return
  const read = Number(outcome.answer.rows[0]?.[0] ?? 0)
  if (read < seen || read > version) client.recorder.violation(`${url} shows a session version ${read} of '${key}', which has seen ${seen} and written ${version}`)
  counted.token = outcome.session ?? token
  counted.seen = Math.max(seen, read)
}

async function readStale(client: Client, { key, version, acknowledged }: Counted): Promise<void> {
  const calledAt = nowMs(), url = someUrl(client)
  const outcome = await once(client, url, `SELECT value FROM kv WHERE key = '${key}'`, { 'lsmt-consistency': 'stale', 'lsmt-staleness-ms-max': String(staleMsMax) })
  if (outcome.kind !== 'answered') return
  const read = Number(outcome.answer.rows[0]?.[0] ?? 0)
  const due = acknowledged.findLast(({ atMs }) => atMs < calledAt - staleMsMax)?.version ?? 0
  if (read < due || read > version) client.recorder.violation(`${url} shows version ${read} of '${key}', at most ${staleMsMax} ms old, when ${due} had been acknowledged for so long`)
}
