/** The clients of a load. Each does one thing after the other until it is told to stop. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { RegisterAction, RegisterValue } from '../../linearizability.ts'
import { nowMs } from './call.ts'
import type { CallOutcome } from './call.ts'
import { once, repeated, someUrl } from './repeated.ts'
import type { Target } from './repeated.ts'

export interface Client extends Target {
  readonly name: string
  readonly isStopped: () => boolean
}

export const keys: readonly string[] = Array.from({ length: 100 }, (_, i) => `k${i}`)
export const groupRows = 4, probeRows = 32
const pauseMsMax = 20
const probePauseMs = 100
const hotKeys = 3, hotMs = 500
/** Every other time one of a few that all clients go for at the moment: what is never done at the same time proves nothing. */
function someKey({ random }: Client): string {
  if (random.below(2) === 0) return keys[random.below(keys.length)]!
  return keys[(Math.floor(nowMs() / hotMs) * hotKeys + random.below(hotKeys)) % keys.length]!
}
const pause = ({ random }: Client): Promise<void> => sleep(random.below(pauseMsMax))

/** Reads, writes, swaps of what was just read, deletes, and reads of several; half of the writes are repeated under a key until they are answered. */
export async function liveOnRegisters(client: Client): Promise<void> {
  const { random, name, isStopped } = client
  for (let count = 0; !isStopped(); count++) {
    const key = someKey(client), value = `${name}-${count}`
    const choice = random.below(10)
    if (choice < 2) await readOne(client, key)
    else if (choice < 3) await readSeveral(client)
    else if (choice < 5) await change(client, key, { kind: 'write', value }, `INSERT INTO kv VALUES ('${key}', '${value}')`)
    else if (choice < 9) await swap(client, key, value)
    else await change(client, key, { kind: 'write', value: null }, `DELETE FROM kv WHERE key = '${key}'`)
    await pause(client)
  }
}

async function swap(client: Client, key: string, value: string): Promise<void> {
  const expected = await readOne(client, key)
  if (expected === null || expected === undefined) return
  await change(client, key, { kind: 'compareAndSet', expected, value, succeeded: undefined }, `UPDATE kv SET value = '${value}' WHERE key = '${key}' AND value = '${expected}'`)
}

/** undefined: there was no answer. */
async function readOne(client: Client, key: string): Promise<RegisterValue | undefined> {
  const calledAt = nowMs()
  const outcome = await once(client, someUrl(client), `SELECT value FROM kv WHERE key = '${key}'`)
  if (outcome.kind !== 'answered') return undefined
  const value = (outcome.answer.rows[0]?.[0] ?? null) as RegisterValue
  client.recorder.operation({ client: client.name, key, calledAt, returnedAt: nowMs(), action: { kind: 'read', value } })
  return value
}

async function readSeveral(client: Client): Promise<void> {
  const first = client.random.below(keys.length - 10)
  await readKeys(client, keys.slice(first, first + 10), someUrl(client))
}

/** Each is a read of its own. False: there was no answer. */
export async function readKeys(client: Client, wanted: readonly string[], url: string): Promise<boolean> {
  const calledAt = nowMs()
  const outcome = await once(client, url, `SELECT key, value FROM kv WHERE key IN (${wanted.map((key) => `'${key}'`).join(', ')})`)
  if (outcome.kind !== 'answered') return false
  const returnedAt = nowMs()
  const found = new Map(outcome.answer.rows as readonly (readonly [string, string])[])
  for (const key of wanted) client.recorder.operation({ client: client.name, key, calledAt, returnedAt, action: { kind: 'read', value: found.get(key) ?? null } })
  return true
}

async function change(client: Client, key: string, action: RegisterAction, sql: string): Promise<void> {
  const { recorder, random, name } = client
  const calledAt = nowMs()
  const isRepeated = random.below(2) === 0
  const outcome: CallOutcome | undefined = isRepeated ? undefined : await once(client, someUrl(client), sql)
  const answer = isRepeated ? await repeated(client, sql) : outcome?.kind === 'answered' ? outcome.answer : undefined
  if (answer !== undefined) recorder.operation({ client: name, key, calledAt, returnedAt: nowMs(), action: answered(action, answer.rowCount) })
  else if (outcome?.kind !== 'refused') recorder.operation({ client: name, key, calledAt, returnedAt: Infinity, action })
}

/** A delete of nothing tells that there was nothing. */
function answered(action: RegisterAction, rowCount: number): RegisterAction {
  if (action.kind === 'compareAndSet') return { ...action, succeeded: rowCount === 1 }
  return action.value === null && rowCount === 0 ? { kind: 'read', value: null } : action
}

/** Writes groups of rows that lie in several shards, each by one statement, and looks whether any is there in part. */
export async function liveOnGroups(client: Client, first: number): Promise<void> {
  for (let number = first; !client.isStopped(); number += 100) {
    const rows = Array.from({ length: groupRows }, (_, i) => `(${number}, ${i})`).join(', ')
    if ((await repeated(client, `INSERT INTO groups VALUES ${rows}`)) !== undefined) client.recorder.group(number)
    const parts = await once(client, someUrl(client), `SELECT g, COUNT(*) FROM groups GROUP BY g HAVING COUNT(*) <> ${groupRows}`)
    if (parts.kind === 'answered' && parts.answer.rows.length > 0) client.recorder.violation(`groups are there in part: ${JSON.stringify(parts.answer.rows)}`)
    await sleep(100)
  }
}

/** Of one node: one statement that writes to all shards, again and again, without repetition. */
export async function probe(client: Client, node: number): Promise<void> {
  const url = client.urls[node]!
  for (let count = 0; !client.isStopped(); count++) {
    const calledAt = nowMs()
    const rows = Array.from({ length: probeRows }, (_, i) => `(${node * probeRows + i}, ${count})`).join(', ')
    const outcome = await once(client, url, `INSERT INTO probes VALUES ${rows}`)
    client.recorder.probe({ node, calledAt, returnedAt: nowMs(), code: outcome.kind === 'answered' ? undefined : outcome.code })
    await sleep(probePauseMs)
  }
}
