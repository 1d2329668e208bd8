/** When a shard's data goes, and in which order: what decides whether a copy that was promised can vanish. */
import { expect, it } from 'vitest'
import type { HostedReplica } from '../../../src/cluster/node/hosted-replica.ts'
import { dropShardData, endDropping, hasShardData } from '../../../src/cluster/node/shards/shard-data.ts'
import { ShardSlot } from '../../../src/cluster/node/shards/shard-slot.ts'
import { firstConfiguration, withJoining, withLeader } from '../../../src/cluster/replication/configuration.ts'
import type { ConfigurationAt } from '../../../src/cluster/replication/configuration.ts'
import { LsmtError } from '../../../src/errors.ts'
import { createLog } from '../../../src/runtime/log.ts'
import { createFaultyStorage } from '../../../src/storage/faulty-storage.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'

const [a, b, c] = ['a', 'b', 'c'].map((node) => ({ node, store: `s-${node}` })) as [Id, Id, Id]
type Id = { readonly node: string; readonly store: string }
const led = (revision: number, ...members: readonly Id[]): ConfigurationAt => ({ revision, configuration: withLeader(firstConfiguration(members), { node: members[0]!.node, incarnation: 1 }) })

interface Place {
  readonly storage: Storage
  readonly slot: ShardSlot<HostedReplica>
  readonly did: string[]
  known: ConfigurationAt | undefined
  /** What reads give, one after the other; the last one for ever. */
  reads: (ConfigurationAt | undefined)[]
  settle: () => Promise<void>
  /** What opening fails with. */
  failure: LsmtError | undefined
  nowMs: number
  readonly lines: readonly string[]
  rested(): Promise<void>
}

/** Slot of shard 0 at node c. */
function place(): Place {
  const storage = createMemoryStorage(), did: string[] = [], lines: string[] = []
  const replica = { shard: 0, status: () => ({ role: 'follower' }), close: async () => void did.push('close') } as unknown as HostedReplica
  const it: Place = {
    storage, did, known: undefined, reads: [], settle: async () => {}, failure: undefined, nowMs: 0, lines,
    slot: new ShardSlot({
      shard: 0, store: c.store, storage, log: createLog('info', (line) => lines.push((JSON.parse(line) as { readonly msg: string }).msg)), onChange: () => undefined, clock: { monotonicMs: () => it.nowMs },
      known: () => it.known,
      read: async () => {
        did.push('read')
        return it.reads.length > 1 ? it.reads.shift() : it.reads[0]
      },
      settle: async (node) => {
        did.push(`settle ${node}`)
        await it.settle()
      },
      async open() {
        did.push('open')
        if (it.failure !== undefined) throw it.failure
        await storage.createIfAbsent('manifest/0/1', [Uint8Array.of(1)])
        return replica
      },
    }),
    async rested() {
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
    },
  }
  return it
}

async function given(it: Place, known: ConfigurationAt): Promise<void> {
  it.known = known
  it.slot.tend()
  await it.rested()
}

it('data goes after the replica was closed, the leader has answered, and nothing has changed meanwhile', async () => {
  const it = place()
  await given(it, led(1, a, c))
  it.reads = [led(2, a, b)]
  await given(it, led(2, a, b))
  expect(it.did).toEqual(['open', 'close', 'read', 'settle a', 'read'])
  expect(await it.storage.list('')).toEqual([])
  await given(it, led(2, a, b))
  expect(it.did).toHaveLength(5)
})

it.each<[string, Partial<Place>]>([
  ['it is to join again', { reads: [{ revision: 3, configuration: withJoining(led(2, a, b).configuration, { replica: c, replaces: b.store, isMove: true }) }] }],
  ['it was changed in between', { reads: [led(2, a, b), led(3, a, b)] }],
  ['nobody leads', { reads: [{ revision: 2, configuration: firstConfiguration([a, b]) }] }],
  ['the leader does not answer', { reads: [led(2, a, b)], settle: () => Promise.reject(new LsmtError('40003', 'no answer')) }],
  ['it has no value any more', { reads: [undefined] }],
])('data stays when %s', async (_, changes) => {
  const it = place()
  await given(it, led(1, a, c))
  Object.assign(it, changes)
  await given(it, led(2, a, b))
  expect((await it.storage.list('')).map(({ name }) => name)).toEqual(['manifest/0/1'])
  await given(it, led(4, a, c))
  expect(it.did.at(-1)).toBe('open')
})

it('what was here before a start is looked at as well', async () => {
  const it = place()
  await it.storage.createIfAbsent('wal/0/1', [Uint8Array.of(1)])
  await it.storage.createIfAbsent('wal/01/1', [Uint8Array.of(1)])
  it.reads = [led(2, a, b)]
  await given(it, led(2, a, b))
  expect((await it.storage.list('')).map(({ name }) => name)).toEqual(['wal/01/1'])
})

it('a deletion that is cut short anywhere has not begun, or is ended before anything is opened', async () => {
  const mine = ['manifest/0/1', 'replica/0/1', 'sst/0/1', 'sst/0/2', 'wal/0/1'], other = 'sst/1/1'
  const outcomes = new Set<string>()
  for (let crashAtOperation = 1, isCut = true; isCut; crashAtOperation++) {
    const disk = new Map()
    const before = createMemoryStorage({ disk })
    for (const name of [...mine, other]) await before.createIfAbsent(name, [Uint8Array.of(1)])
    const faulty = createFaultyStorage({ seed: crashAtOperation, crashAtOperation }, disk)
    isCut = await dropShardData(faulty, 0).then(() => false, () => true)
    const after = faulty.crash({ seed: 1 })
    await endDropping(after, 0)
    const left = (await after.list('')).map(({ name }) => name)
    expect(left.length === 1 ? left : left.toSorted()).toEqual(left.length === 1 ? [other] : [...mine, other].toSorted())
    expect(await hasShardData(after, 0)).toBe(left.length > 1)
    outcomes.add(left.length > 1 ? 'untouched' : 'gone')
  }
  expect([...outcomes]).toEqual(['untouched', 'gone'])
})

it('a copy that is kept elsewhere is opened for as long as it is looked at', async () => {
  const it = place()
  await it.storage.createIfAbsent('manifest/0/1', [Uint8Array.of(1)])
  expect(await it.slot.look(({ shard }) => shard)).toBe(0)
  expect(it.did).toEqual(['open', 'close'])
  const empty = place()
  expect(await empty.slot.look(({ shard }) => shard)).toBeUndefined()
  expect(empty.did).toEqual([])
})

it('a copy that cannot be opened is tried again, after longer and longer waits, and told of once', async () => {
  const slot = place()
  slot.failure = new LsmtError('58030', 'the disk did not answer')
  await given(slot, led(1, a, c))
  for (; slot.nowMs < 300_000; slot.nowMs += 500) await given(slot, led(1, a, c))
  expect(slot.did.length).toBeGreaterThan(6)
  expect(slot.did.length).toBeLessThan(12)
  expect(slot.slot.replica).toBeUndefined()
  slot.failure = undefined
  slot.nowMs += 60_000
  await given(slot, led(1, a, c))
  expect(slot.slot.replica).toBeDefined()
  expect(slot.lines).toEqual(["this node's copy of shard 0 cannot be opened, and counts as lost: the disk did not answer", "this node's copy of shard 0 is opened after all"])
})
