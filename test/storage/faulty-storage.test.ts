import { describe, expect, it } from 'vitest'
import { LsmtError } from '../../src/errors.ts'
import { sectorBytes } from '../../src/storage/crash-image.ts'
import { createFaultyStorage } from '../../src/storage/faulty-storage.ts'
import { failureOf } from './storage-conformance.ts'

const filled = (byteLength: number, value: number): Uint8Array => new Uint8Array(byteLength).fill(value)

describe('the faulty disk', () => {
  it('keeps what was synced, and of the rest any sectors', async () => {
    const images = new Set<string>()
    for (let seed = 1; seed <= 60; seed++) {
      const disk = createFaultyStorage({ seed })
      const file = await disk.createAppend('log', 4 * sectorBytes)
      file.write([filled(sectorBytes, 1)], 0)
      await file.sync()
      file.write([filled(sectorBytes, 2)], sectorBytes)
      file.write([filled(2 * sectorBytes, 3)], 2 * sectorBytes)
      const after = await disk.crash({ seed }).read('log')
      const sectors = [0, 1, 2, 3].map((sector) => [...new Set(after.subarray(sector * sectorBytes, (sector + 1) * sectorBytes))].join('+'))
      expect(sectors[0], `seed ${seed}`).toBe('1')
      images.add(sectors.join(' '))
    }
    for (const image of ['1 0 0 0', '1 2 3 3', '1 2 0 0', '1 0 3 3', '1 0 0 3']) expect([...images]).toContain(image)
  })

  it('gives the same image for the same seed', async () => {
    const run = async (): Promise<Uint8Array> => {
      const disk = createFaultyStorage({ seed: 9, delayTurnsMax: 2 })
      const file = await disk.createAppend('log', 8192)
      for (let i = 0; i < 8; i++) file.write([filled(1000, i + 1)], i * 1000)
      return disk.crash({ seed: 1 }).read('log')
    }
    expect(await run()).toEqual(await run())
  })

  it('loses unpublished objects, keeps published ones and the names of append files', async () => {
    const disk = createFaultyStorage({ seed: 3 })
    await disk.createIfAbsent('a', [filled(3, 1)])
    const published = await disk.create('b')
    await published.append(filled(4, 2))
    await published.publish()
    await (await disk.create('c')).append(filled(4, 2))
    await disk.createAppend('d', 5)
    const after = disk.crash({ seed: 4 })
    expect(await after.list('')).toEqual([{ name: 'a', byteLength: 3 }, { name: 'b', byteLength: 4 }, { name: 'd', byteLength: 5 }])
  })

  it('crashes within an operation: it happened or not, and nothing works after', async () => {
    const outcomes = new Set<string>()
    for (let seed = 0; seed < 20; seed++) {
      const disk = createFaultyStorage({ seed, crashAtOperation: 2 })
      await disk.createIfAbsent('one', [])
      expect((await failureOf(disk.createIfAbsent('two', []))).message).toContain('crashed')
      expect(disk.crashed).toBe(true)
      for (const action of [() => disk.read('one'), () => disk.list(''), () => disk.createIfAbsent('three', [])]) {
        expect((await failureOf(action)).code).toBe('55000')
      }
      outcomes.add((await disk.crash({ seed }).list('')).map((object) => object.name).join())
    }
    expect([...outcomes].sort()).toEqual(['one', 'one,two'])
  })

  it('keeps un-synced writes over a restart of the process, still at risk', async () => {
    const disk = createFaultyStorage({ seed: 1 })
    const file = await disk.createAppend('log', 4)
    file.write([Uint8Array.of(1, 2)], 0)
    const restarted = disk.restart({ seed: 1 })
    expect(await restarted.read('log')).toEqual(Uint8Array.of(1, 2, 0, 0))
    expect((await failureOf(file.sync())).message).toContain('crashed')
    const lost = await Promise.all(Array.from({ length: 20 }, (_, seed) => disk.restart({ seed }).crash({ seed }).read('log')))
    expect(new Set(lost.map(String))).toEqual(new Set(['1,2,0,0', '0,0,0,0']))
    const again = await restarted.openAppend('log')
    await again.sync()
    expect(await restarted.crash({ seed: 3 }).read('log')).toEqual(Uint8Array.of(1, 2, 0, 0))
  })

  it('fails the operation it is told to, and a failed sync poisons the file', async () => {
    const full = new LsmtError('53100', 'disk full')
    const disk = createFaultyStorage({ seed: 1, fail: (operation) => (operation.kind === 'sync' ? full : undefined) })
    const file = await disk.createAppend('log', 10)
    file.write([filled(1, 1)], 0)
    expect(await failureOf(file.sync())).toBe(full)
    expect(await failureOf(() => file.write([filled(1, 1)], 1))).toBe(full)
    expect(disk.operations.map((operation) => operation.kind)).toEqual(['createAppend', 'write', 'sync'])
    expect(disk.operations.map((operation) => operation.number)).toEqual([1, 2, 3])
  })
})
