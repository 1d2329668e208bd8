import { describe, expect, test } from 'vitest'
import type { Engine, EngineRow } from '../../../src/engine/engine.ts'
import { createLocalEngine } from '../../../src/engine/local-engine.ts'
import { openKernel } from '../../../src/kernel/open-kernel.ts'
import { reserveLinearMemory } from '../../../src/kernel/linear-memory.ts'
import { readBatchHeader } from '../../../src/lsm/batch.ts'
import type { Participants } from '../../../src/lsm/batch.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { scanAll } from '../engine-fixtures.ts'
import { createModelTree, freeAdmission } from '../model-tree.ts'
import type { ModelTree } from '../model-tree.ts'
import { createDiskRoom } from '../../../src/lsm/disk-room.ts'
import { systemClock } from '../../../src/runtime/clock.ts'

interface Opened {
  readonly engine: Engine
  readonly trees: readonly ModelTree[]
  /** Participants of each appended batch, by shard. */
  readonly appended: (Participants | undefined)[][]
}

async function open(shardCount: number): Promise<Opened> {
  const kernel = openKernel('js', reserveLinearMemory(64 * 1024 * 1024))
  const trees = Array.from({ length: shardCount }, () => createModelTree(kernel))
  const appended: (Participants | undefined)[][] = trees.map(() => [])
  for (const [shard, tree] of trees.entries()) {
    const { append } = tree
    tree.append = (batch, gate) => {
      appended[shard]!.push(readBatchHeader(batch).participants)
      return append.call(tree, batch, gate)
    }
  }
  const engine = await createLocalEngine({ kernel, trees, admission: freeAdmission(trees), room: createDiskRoom(createMemoryStorage(), systemClock), random: seededRandom(3), statementBytesMax: 1 << 20, cacheBytes: () => 0, cacheCounts: { hits: 0, misses: 0, evictions: 0 }, createTemporary: createMemoryStorage().createTemporary, close: async () => {} })
  for (const list of appended) list.length = 0
  return { engine, trees, appended }
}

/** Keys of statements that have no part in a shard, found by writing them to a database of the same shards. */
async function keysOutside({ trees }: Opened, shard: number): Promise<string[]> {
  const other = await open(trees.length)
  const keys: string[] = []
  for (let i = 0; keys.length < 20; i++) {
    const before = other.trees[shard]!.nextSequence
    await other.engine.insert(other.engine.table('kv')!, [[`key ${i}`, '']], 'upsert')
    if (other.trees[shard]!.nextSequence === before) keys.push(`key ${i}`)
  }
  return keys
}

const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}
const rows = (name: string, count: number): EngineRow[] => Array.from({ length: count }, (_, i) => [`${name}${i}`, name])
const values = (found: readonly EngineRow[]): Set<unknown> => new Set(found.map((row) => row[1]))

describe('a statement over several shards', () => {
  test('says in each part who the participants are and where their parts stand', async () => {
    const { engine, trees, appended } = await open(4)
    const before = trees.map((tree) => tree.nextSequence)
    await engine.insert(engine.table('kv')!, rows('a', 100), 'upsert')
    const parts = appended.map((list) => list[0]!)
    expect(parts.every((part) => part.parts.length === 4)).toBe(true)
    expect(parts[0]!.parts).toEqual(before.map((baseSequence, shard) => ({ shard, baseSequence })))
    expect(new Set(parts.map((part) => Buffer.from(part.transactionId).toString('hex'))).size).toBe(1)
  })

  test('of one shard only carries no participants', async () => {
    const { engine, appended } = await open(4)
    await engine.insert(engine.table('kv')!, rows('a', 1), 'upsert')
    expect(appended.flat()).toEqual([undefined])
  })

  test('is seen nowhere until it is durable everywhere', async () => {
    const { engine, trees } = await open(3)
    const kv = engine.table('kv')!
    trees[1]!.hold()
    let isDone = false
    const written = engine.insert(kv, rows('a', 60), 'upsert').then(() => (isDone = true))
    await turns(5)
    expect(isDone).toBe(false)
    expect(await scanAll(engine, kv)).toEqual([])
    trees[1]!.let()
    await written
    expect(await scanAll(engine, kv)).toHaveLength(60)
  })

  test('waits for an earlier one that shares a shard, and is seen after it', async () => {
    const { engine, trees } = await open(4)
    const kv = engine.table('kv')!
    trees[2]!.hold()
    const first = engine.insert(kv, rows('a', 60), 'upsert')
    trees[2]!.let()
    trees[2]!.hold()
    const second = engine.insert(kv, rows('b', 60), 'upsert')
    await turns(3)
    trees[2]!.let()
    await Promise.all([first, second])
    expect(values(await scanAll(engine, kv))).toEqual(new Set(['a', 'b']))
  })

  test('that fails in one shard stops all writes; reads go on without it', async () => {
    const { engine, trees } = await open(3)
    const kv = engine.table('kv')!
    await engine.insert(kv, rows('before', 10), 'upsert')
    trees[1]!.hold()
    const failing = engine.insert(kv, rows('a', 60), 'upsert')
    await turns(2)
    trees[1]!.failWaiting(new Error('the disk is gone'))
    await expect(failing).rejects.toThrow('the disk is gone')
    await expect(engine.insert(kv, rows('later', 1), 'upsert')).rejects.toMatchObject({ code: '55000' })
    expect(values(await scanAll(engine, kv))).toEqual(new Set(['before']))
  })

  test('that fails takes those with it that wait for it', async () => {
    const again = await open(4)
    const table = again.engine.table('kv')!
    again.trees[0]!.hold()
    const failing = expect(again.engine.insert(table, rows('a', 60), 'upsert')).rejects.toThrow('the disk is gone')
    // Durable in all its shards, but behind the one that fails.
    const keys = await keysOutside(again, 0)
    const behind = expect(again.engine.insert(table, keys.map((key) => [key, 'b']), 'upsert')).rejects.toThrow('the disk is gone')
    await turns(3)
    again.trees[0]!.failWaiting(new Error('the disk is gone'))
    await Promise.all([failing, behind])
  })

  test('is never seen in part, whatever the order in which shards become durable', async () => {
    const seed = 77
    const random = seededRandom(seed)
    const { engine, trees } = await open(4)
    for (const [i, tree] of trees.entries()) tree.applyDelay = 3 * i
    const kv = engine.table('kv')!
    const keys = Array.from({ length: 40 }, (_, i) => `k${i}`)
    await engine.insert(kv, keys.map((key) => [key, '-1']), 'upsert')
    let isWriting = true
    const writers = Array.from({ length: 30 }, async (_, statement) => {
      await turns(random.below(20))
      await engine.insert(kv, keys.map((key) => [key, String(statement)]), 'upsert')
    })
    const jitter = (async () => {
      while (isWriting) {
        const tree = trees[random.below(trees.length)]!
        tree.hold()
        await turns(random.below(3))
        tree.let()
        await turns(1)
      }
    })()
    const reader = (async () => {
      while (isWriting) {
        const snapshot = engine.snapshot()
        // A microtask here and there, to ask while parts are being applied.
        for (let i = random.below(6); i > 0; i--) await Promise.resolve()
        const again = engine.snapshot()
        for (const view of [snapshot, again]) {
          const found: EngineRow[] = []
          for await (const page of engine.scan(view, { table: kv, ordered: false, columns: [0, 1], predicate: [] })) found.push(...page)
          expect(values(found).size, `seed ${seed}`).toBe(1)
          view.release()
        }
        await turns(1)
      }
    })()
    await Promise.all(writers)
    isWriting = false
    await Promise.all([jitter, reader])
  })
})

/** A statement over three shards that become visible some microtasks apart, and `observe` called at each microtask in between. */
async function whileHalfVisible(observe: (engine: Engine) => void): Promise<Engine> {
  const { engine, trees } = await open(3)
  for (const [i, tree] of trees.entries()) tree.applyDelay = 4 * i
  const before = trees.map((tree) => tree.visibleSequence)
  trees[1]!.hold()
  const written = engine.insert(engine.table('kv')!, rows('a', 60), 'upsert')
  await turns(2)
  trees[1]!.let()
  for (let visible = 0; visible < 3; ) {
    await Promise.resolve()
    visible = trees.filter((tree, i) => tree.visibleSequence > before[i]!).length
    if (visible > 0 && visible < 3) observe(engine)
  }
  await written
  return engine
}

describe('a snapshot asked for while a statement is half visible', () => {
  test('waits the microtasks until it is whole', async () => {
    const answers: unknown[] = []
    const counts: Promise<EngineRow>[] = []
    await whileHalfVisible((engine) => {
      const kv = engine.table('kv')!
      const snapshot = engine.snapshot()
      answers.push(engine.get(snapshot, kv, ['a0'], [1]))
      counts.push(engine.aggregate(snapshot, { table: kv, ordered: false, columns: [], predicate: [] }, [{ function: 'count' }]).finally(() => snapshot.release()))
    })
    expect(answers.length).toBeGreaterThan(0)
    expect(answers.every((answer) => answer instanceof Promise)).toBe(true)
    expect(new Set((await Promise.all(counts)).flat())).toEqual(new Set([60]))
  })

  test('may be released before it is there', async () => {
    const answers: Promise<unknown>[] = []
    await whileHalfVisible((engine) => {
      const snapshot = engine.snapshot()
      snapshot.release()
      answers.push(expect(Promise.resolve(engine.get(snapshot, engine.table('kv')!, ['a0'], [1]))).rejects.toMatchObject({ code: '55000' }))
    })
    expect(answers.length).toBeGreaterThan(0)
    await Promise.all(answers)
  })
})
