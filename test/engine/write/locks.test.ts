import { describe, expect, test } from 'vitest'
import { createTableLocks } from '../../../src/engine/write/locks.ts'
import { seededRandom } from '../../../src/runtime/random.ts'

const keys = (...hashes: number[]): Uint32Array => Uint32Array.from(hashes)
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Whether a promise is settled after the turns that are due. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false
  void promise.then(() => (done = true))
  await turn()
  return done
}

describe('key locks', () => {
  test('different keys do not wait for each other', async () => {
    const locks = createTableLocks()
    const first = await locks.lockKeys(keys(1, 2))
    const second = await locks.lockKeys(keys(3))
    first()
    second()
    expect(locks.activeCount).toBe(0)
  })

  test('who holds keys alone is waited for all the same', async () => {
    const locks = createTableLocks()
    for (let round = 0; round < 3; round++) {
      const alone = await locks.lockKeys(keys(1, 2, 3))
      const second = locks.lockKeys(keys(3, 4))
      const third = locks.lockKeys(keys(4))
      expect([await settled(second), await settled(third)]).toEqual([false, false])
      alone()
      ;(await second)()
      ;(await third)()
      expect(locks.activeCount).toBe(0)
    }
  })

  test('the same key is granted in order of arrival', async () => {
    const locks = createTableLocks()
    const order: number[] = []
    const run = async (name: number, ...hashes: number[]): Promise<void> => {
      const release = await locks.lockKeys(keys(...hashes))
      order.push(name)
      await turn()
      release()
    }
    await Promise.all([run(1, 7), run(2, 7, 8), run(3, 8), run(4, 7)])
    expect(order.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4])
    expect(order.indexOf(1)).toBeLessThan(order.indexOf(2))
    expect(order.indexOf(2)).toBeLessThan(order.indexOf(3))
    expect(order.indexOf(2)).toBeLessThan(order.indexOf(4))
  })

  test('a key that stands twice in a request does not wait for itself', async () => {
    const locks = createTableLocks()
    const release = await locks.lockKeys(keys(5, 5, 5))
    release()
  })

  test('random requests exclude each other and all end', async () => {
    const seed = 99
    const random = seededRandom(seed)
    const locks = createTableLocks()
    const held = new Set<number>()
    let ended = 0
    await Promise.all(
      Array.from({ length: 300 }, async () => {
        const wanted = [...new Set(Array.from({ length: 1 + random.below(5) }, () => random.below(12)))]
        const release = await locks.lockKeys(keys(...wanted))
        for (const key of wanted) {
          expect(held.has(key), `seed ${seed}`).toBe(false)
          held.add(key)
        }
        if (random.below(2) === 0) await turn()
        for (const key of wanted) held.delete(key)
        release()
        ended++
      }),
    )
    expect(ended).toBe(300)
    expect(locks.activeCount).toBe(0)
  })
})

describe('blind writes', () => {
  test('pass when nobody reads and modifies', () => {
    const locks = createTableLocks()
    expect(locks.enterBlind()).toBe(true)
    expect(locks.enterBlind()).toBe(true)
    locks.leaveBlind()
    locks.leaveBlind()
  })

  test('a read-modify-write waits for those that came before it', async () => {
    const locks = createTableLocks()
    locks.enterBlind()
    locks.enterBlind()
    const granted = locks.lockKeys(keys(1))
    locks.leaveBlind()
    expect(await settled(granted)).toBe(false)
    locks.leaveBlind()
    expect(await settled(granted)).toBe(true)
  })

  test('must queue for their keys while one is active', async () => {
    const locks = createTableLocks()
    const release = await locks.lockKeys(keys(1))
    expect(locks.enterBlind()).toBe(false)
    const same = locks.lockKeys(keys(1))
    const other = locks.lockKeys(keys(2))
    expect(await settled(other)).toBe(true)
    expect(await settled(same)).toBe(false)
    release()
    expect(await settled(same)).toBe(true)
  })
})

describe('the whole table', () => {
  test('waits for the active and holds back the later', async () => {
    const locks = createTableLocks()
    const release = await locks.lockKeys(keys(1))
    const table = locks.lockTable()
    const later = locks.lockKeys(keys(2))
    expect(locks.enterBlind()).toBe(false)
    expect(await settled(table)).toBe(false)
    release()
    expect(await settled(table)).toBe(true)
    expect(await settled(later)).toBe(false)
    ;(await table)()
    expect(await settled(later)).toBe(true)
  })

  test('is not taken again before those that came in between have had their turn', async () => {
    const locks = createTableLocks()
    const order: string[] = []
    const note = (name: string, granted: Promise<() => void>): Promise<void> => granted.then((release) => {
      order.push(name)
      release()
    })
    const first = await locks.lockTable()
    const all = [note('key', locks.lockKeys(keys(1))), note('table', locks.lockTable()), note('same key', locks.lockKeys(keys(1))), note('table again', locks.lockTable())]
    first()
    await Promise.all(all)
    expect(order).toEqual(['key', 'table', 'same key', 'table again'])
    expect([locks.activeCount, locks.enterBlind()]).toEqual([0, true])
  })

  test('is taken in turns', async () => {
    const locks = createTableLocks()
    const first = await locks.lockTable()
    const second = locks.lockTable()
    expect(await settled(second)).toBe(false)
    first()
    expect(await settled(second)).toBe(true)
    expect(locks.enterBlind()).toBe(false)
    ;(await second)()
    expect(locks.enterBlind()).toBe(true)
  })
})
