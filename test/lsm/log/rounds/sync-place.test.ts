import { describe, expect, it } from 'vitest'
import { calmSyncsMin, createSyncPlace, syncsHereMax } from '../../../../src/lsm/log/rounds/sync-place.ts'
import type { SyncPlace } from '../../../../src/lsm/log/rounds/sync-place.ts'

/** A disk whose syncs take `syncMs`, and a thread that is busy for `activeMs` of those on the pool. */
class Machine {
  nowMs = 0
  active = 0
  syncMs = 0.1
  activeMs = 0
  readonly made: ('here' | 'away')[] = []
  readonly file = {
    write: () => {},
    close: async () => {},
    sync: async () => this.#sync('away', this.activeMs),
    syncNow: () => this.#sync('here', 0),
  }
  readonly place: SyncPlace = createSyncPlace({ clock: { monotonicMs: () => this.nowMs }, activeMs: () => this.active, msMax: 1 })

  #sync(where: 'here' | 'away', activeMs: number): void {
    this.made.push(where)
    this.nowMs += this.syncMs
    this.active += activeMs
  }

  /** Where each was made. */
  async sync(count: number): Promise<readonly string[]> {
    for (let i = 0; i < count; i++) await this.place.sync(this.file)
    return this.made.splice(0)
  }
}

const times = (count: number, where: string): readonly string[] => Array.from({ length: count }, () => where)

describe('the place of syncs that writers wait for', () => {
  it('is this thread once they are short and nothing else is to be done, and the pool now and then', async () => {
    const machine = new Machine()
    expect(await machine.sync(calmSyncsMin + syncsHereMax + 2)).toEqual([...times(calmSyncsMin, 'away'), ...times(syncsHereMax, 'here'), 'away', 'here'])
  })

  it('is the pool while they are long, or the thread has something to do', async () => {
    const slow = new Machine(), busy = new Machine()
    slow.syncMs = 1.1
    busy.activeMs = 0.2
    for (const machine of [slow, busy]) expect(new Set(await machine.sync(200))).toEqual(new Set(['away']))
  })

  it('is the pool after a long one, for twice as long each time, and half as long when they stay short', async () => {
    const machine = new Machine()
    const away: number[] = []
    for (let time = 0; time < 3; time++) {
      while ((await machine.sync(1))[0] === 'away');
      machine.syncMs = 30
      await machine.sync(1)
      machine.syncMs = 0.1
      let count = 0
      while ((await machine.sync(1))[0] === 'away') count++
      away.push(count)
    }
    expect(away).toEqual([2, 4, 8].map((factor) => factor * calmSyncsMin))
    await machine.sync(10 * (syncsHereMax + 1))
    machine.syncMs = 30
    await machine.sync(1)
    machine.syncMs = 0.1
    const made = await machine.sync(100)
    expect(made.indexOf('here')).toBe(2 * calmSyncsMin)
  })

  it('is the pool as soon as a look finds that the thread has something to do', async () => {
    const machine = new Machine()
    await machine.sync(calmSyncsMin)
    machine.activeMs = 0.5
    expect(await machine.sync(syncsHereMax + 20)).toEqual([...times(syncsHereMax, 'here'), ...times(20, 'away')])
  })

  it('is the pool for storage that knows no other, and its failures are those of the file', async () => {
    const machine = new Machine()
    await machine.sync(calmSyncsMin)
    const { syncNow: _, ...poolOnly } = machine.file
    await machine.place.sync(poolOnly)
    expect(machine.made).toEqual(['away'])
    expect(() => machine.place.sync({ ...machine.file, syncNow: () => { throw new Error('EIO') } })).toThrow('EIO')
  })
})
