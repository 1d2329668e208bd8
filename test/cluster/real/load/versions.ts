/** Clients that count up a key of their own and read it back from any node, at the levels that need not be the newest. */
import { setTimeout as sleep } from 'node:timers/promises'
import { nowMs } from './call.ts'
import type { Client } from './clients.ts'
import { once, someUrl } from './repeated.ts'

const staleMsMax = 1_000

/** Writes and reads in turn. A read of the session has all that the session wrote or read before, a stale one what was acknowledged a while before it began. */
export async function liveOnVersions(client: Client): Promise<void> {
  const { recorder, name } = client
  const key = `version of ${name}`
  const acknowledged: { readonly version: number; readonly atMs: number }[] = []
  let token: string | undefined, seen = 0, version = 0
  for (; !client.isStopped(); await sleep(20)) {
    const written = await once(client, someUrl(client), `INSERT INTO kv VALUES ('${key}', '${++version}')`)
    if (written.kind === 'answered') {
      acknowledged.push({ version, atMs: nowMs() })
      token = written.session ?? token
      seen = version
    }
    const session = await once(client, someUrl(client), `SELECT value FROM kv WHERE key = '${key}'`, { 'lsmt-consistency': 'session', ...(token !== undefined && { 'lsmt-session': token }) })
    if (session.kind === 'answered' && token !== undefined) {
      const read = Number(session.answer.rows[0]?.[0] ?? 0)
      if (read < seen || read > version) recorder.violation(`${name} reads version ${read} in its session, after ${seen} and before ${version + 1}`)
      token = session.session ?? token
      seen = Math.max(seen, read)
    }
    const calledAt = nowMs()
    const stale = await once(client, someUrl(client), `SELECT value FROM kv WHERE key = '${key}'`, { 'lsmt-consistency': 'stale', 'lsmt-staleness-ms-max': String(staleMsMax) })
    if (stale.kind === 'answered') {
      const read = Number(stale.answer.rows[0]?.[0] ?? 0)
      const due = acknowledged.findLast(({ atMs }) => atMs < calledAt - staleMsMax)?.version ?? 0
      if (read < due || read > version) recorder.violation(`${name} reads version ${read}, stale by ${staleMsMax} ms at most, after ${due} was acknowledged ${staleMsMax} ms before it asked`)
    }
  }
}
