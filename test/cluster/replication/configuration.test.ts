import { describe, expect, it } from 'vitest'
import { decodeConfiguration, encodeConfiguration, firstConfiguration, withJoined, withJoining, withLeader, withSurvivor, withoutLeader } from '../../../src/cluster/replication/configuration.ts'
import type { ShardConfiguration } from '../../../src/cluster/replication/configuration.ts'
import { identityAtStart } from '../../../src/cluster/replication/identity.ts'

const a = { node: 'a', store: 's1' }, b = { node: 'b', store: 's2' }, c = { node: 'c', store: 's3' }
const first = firstConfiguration([a, b])

describe('the configuration of a shard', () => {
  it('changes one thing at a time, and counts it', () => {
    const led = withLeader(first, { node: 'a', incarnation: 4 })
    const joining = withJoining(led, { replica: c, replaces: 's2', isMove: false })
    expect(led).toMatchObject({ version: 2, epoch: 1, leader: { node: 'a', incarnation: 4 }, members: [a, b] })
    expect(withSurvivor({ ...joining, epoch: 7 }, { node: 'd', store: 's4' }, 's1')).toMatchObject({ version: 4, epoch: 8, leader: null, members: [{ node: 'd', store: 's4' }, b], joining: null, possibleLoss: 7 })
    expect(joining).toMatchObject({ version: 3, epoch: 1, members: [a, b], joining: { replica: c, replaces: 's2' } })
    expect(withJoined(joining, joining.joining!)).toMatchObject({ version: 4, epoch: 1, members: [a, c], joining: null })
    expect(withoutLeader(led)).toMatchObject({ version: 3, epoch: 1, leader: null })
  })

  it('is small JSON that is read back as it was', () => {
    const full: ShardConfiguration = { ...first, version: 9, epoch: 3, leader: { node: 'b', incarnation: 2 }, joining: { replica: c, replaces: 's1', isMove: true }, possibleLoss: 2 }
    for (const configuration of [first, full]) expect(decodeConfiguration(encodeConfiguration(configuration), '/shard/0')).toEqual(configuration)
    expect(encodeConfiguration(full).length).toBeLessThan(300)
  })

  const text = (changes: object): string => JSON.stringify({ ...first, ...changes })
  it.each([
    ['{', 'expected JSON'],
    ['[]', 'expected an object'],
    [text({ format: 'x' }), 'expected format 1'],
    [text({ version: -1 }), 'expected a version'],
    [text({ epoch: 1.5 }), 'expected an epoch'],
    [text({ members: [] }), 'expected 1 to 64 members'],
    [text({ members: [a, { node: 'b' }] }), 'expected a member with node and store'],
    [text({ members: [a, a] }), 'expected members of different stores'],
    [text({ leader: { node: 'a' } }), 'expected a leader with node and incarnation'],
    [text({ possibleLoss: undefined }), 'expected an epoch of possible loss, or null'],
    [text({ joining: { replica: c } }), 'expected whom the one that joins replaces'],
  ])('refuses %s', (stored, expected) => {
    expect(() => decodeConfiguration(stored, '/shard/7')).toThrow(`/shard/7 in the configuration store: ${expected}`)
  })

  it('of a later format is left alone', () => {
    expect(() => decodeConfiguration(text({ format: 2 }), '/shard/7')).toThrow('has format 2; this version knows format 1')
  })
})

describe('the identity of a starting node', () => {
  const disk = { store: 's1', incarnation: 4, wasCleanlyStopped: false, syncsBeforeAck: true }

  it('stays while everything acknowledged is on the disk', () => {
    expect(identityAtStart(disk, { store: 's1', incarnation: 4 })).toEqual({ kind: 'same', incarnation: 5 })
    // It was stopped between writing its new incarnation to the disk and to the store.
    expect(identityAtStart(disk, { store: 's1', incarnation: 3 })).toEqual({ kind: 'same', incarnation: 5 })
    expect(identityAtStart(disk, undefined)).toEqual({ kind: 'same', incarnation: 5 })
    expect(identityAtStart({ ...disk, syncsBeforeAck: false, wasCleanlyStopped: true }, { store: 's1', incarnation: 4 }).kind).toBe('same')
  })

  it('is a new one on an older copy of the disk, and where acknowledged writes may be missing', () => {
    expect(identityAtStart(disk, { store: 's1', incarnation: 6 })).toMatchObject({ kind: 'new', incarnation: 7 })
    expect(identityAtStart({ ...disk, syncsBeforeAck: false }, { store: 's1', incarnation: 4 })).toMatchObject({ kind: 'new', incarnation: 5 })
  })

  it('never repeats an incarnation, whatever disk is found', () => {
    expect(identityAtStart({ ...disk, store: 'other' }, { store: 's1', incarnation: 9 })).toEqual({ kind: 'same', incarnation: 10 })
  })
})
