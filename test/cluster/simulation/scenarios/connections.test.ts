/** Stories about who hears whom, the store included. */
import { describe, expect, it } from 'vitest'
import { defaultTiming } from '../../../../src/cluster/replication/timing.ts'
import { begin, valueOf } from './scenario.ts'
import type { Scenario } from './scenario.ts'

/** A lease, and the time to find out. */
const recoveryMs = 1_500

describe('connections', () => {
  it.each(['a leader that is heard but hears nobody', 'a leader that hears but is not heard'])('asymmetric-partition: %s does not stop writes for long', (which) => {
    const story = begin()
    story.write('k', '1')
    for (const other of [story.second, story.spare]) {
      if (which.includes('hears nobody')) story.network.cut(other.name, story.first.name)
      else story.network.cut(story.first.name, other.name)
    }
    expect(story.write('k', '2', recoveryMs)?.kind).toBe('written')
    expect(story.isLeader(story.second)).toBe(true)
    story.network.healAll()
    story.run(300)
    expect(valueOf(story.read('k'))).toBe('2')
    expect(story.verdict()).toEqual([])
  })

  it('a link that is cut between the members leaves the leader with the spare', () => {
    const story = begin()
    story.write('k', '1')
    story.cutOff(story.first, [story.second])
    expect(story.write('k', '2', recoveryMs)?.kind).toBe('written')
    expect(story.isLeader(story.first)).toBe(true)
    expect(story.verdict()).toEqual([])
  })

  it('a leader that is cut off from everything is followed, and follows when it is back', () => {
    const story = begin()
    story.write('k', '1')
    story.cutOff(story.first, [story.second, story.spare, 'etcd'])
    expect(story.write('k', '2', recoveryMs)?.kind).toBe('written')
    story.network.healAll()
    expect(story.until(() => !story.isLeader(story.first))).toBe(true)
    expect(story.verdict()).toEqual([])
  })

  it('without the store members go on writing, and reading without a lease; a lost one is replaced when the store is back', () => {
    const story = begin()
    story.store.isDown = true
    story.run(500)
    expect(story.first.state!.lease!.deadlineMs).toBeLessThan(story.first.nowMs)
    expect(story.write('k', '1')?.kind).toBe('written')
    expect(valueOf(story.read('k'))).toBe('1')
    story.second.crash()
    expect(story.write('k', '2', 700)).toBeUndefined()
    story.store.up()
    expect(story.write('k', '3', recoveryMs)?.kind).toBe('written')
    expect(story.verdict()).toEqual([])
  })

  it('etcd-compaction-watch-gap: who missed changes gets the newest by listing again', () => {
    const story = begin()
    story.write('k', '1')
    story.store.areWatchesLost = true
    story.network.cut('etcd', story.spare.name)
    const { revision } = story.spare.state!.known!
    story.first.give({ kind: 'resign' })
    expect(story.until(() => story.isLeader(story.second), 2_000)).toBe(true)
    expect(story.spare.state!.known!.revision).toBe(revision)
    story.network.healAll()
    story.store.list(story.spare.name)
    story.run(30)
    expect(story.spare.state!.known!.configuration).toEqual(story.configuration)
    expect(story.spare.state!.known!.revision).toBeGreaterThan(revision + 1)
    expect(story.verdict()).toEqual([])
  })

  it('a leader does not resign where nobody is heard of who could follow, and takes it back where that one falls silent', () => {
    const story = begin({ nodeCount: 2 })
    const { first, second } = story
    const resignByMs = (): unknown => first.state!.role.kind === 'leader' && first.state!.role.resignByMs
    expect(story.write('k', '1')?.kind).toBe('written')
    const { epoch } = first.state!
    second.pause()
    const last = story.ask(first, { action: { kind: 'write', value: '2' } })
    first.give({ kind: 'resign' })
    expect(resignByMs()).toEqual(expect.any(Number))
    expect(story.until(() => resignByMs() === undefined, 250)).toBe(true)
    first.give({ kind: 'resign' })
    expect(resignByMs()).toBeUndefined()
    second.resume()
    expect(story.until(() => last.answer?.kind === 'written', 200)).toBe(true)
    expect(first.state!.epoch).toBe(epoch)
    expect(story.verdict()).toEqual([])
  })

  it('a leader that resigns finishes what it has and is followed without a lease having to end', () => {
    const story = begin()
    story.write('k', '0')
    const last = story.ask(story.first, { action: { kind: 'write', value: '1' } })
    story.first.give({ kind: 'resign' })
    expect(story.ask(story.first, { key: 'other', action: { kind: 'write', value: '2' } }).answer?.kind).toBe('refused')
    expect(story.until(() => story.isLeader(story.second), 190)).toBe(true)
    expect(last.answer?.kind).toBe('written')
    expect(valueOf(story.read('k'))).toBe('1')
    expect(story.verdict()).toEqual([])
  })
})

describe('with the timing of real nodes', () => {
  const ttlMs = 3_000
  const faults: Readonly<Record<string, (story: Scenario) => void>> = {
    'the leader crashes': ({ first }) => first.crash(),
    'the other member crashes': ({ second }) => second.crash(),
    'the leader stands still': ({ first }) => first.pause(),
    'the leader is cut off from everything': (story) => story.cutOff(story.first, [story.second, story.spare, 'etcd']),
    'the leader is cut off from the nodes': (story) => story.cutOff(story.first, [story.second, story.spare]),
    'the leader is not heard': ({ network, first, second, spare }) => [second, spare].forEach(({ name }) => network.cut(first.name, name)),
    'the leader hears nobody': ({ network, first, second, spare }) => [second, spare].forEach(({ name }) => network.cut(name, first.name)),
    'the members are cut off from each other': (story) => story.cutOff(story.first, [story.second]),
    'the other member stands still while the leader hands over to it': ({ first, second, ask }) => {
      second.pause()
      ask(first, { action: { kind: 'write', value: 'last' } })
      first.give({ kind: 'resign' })
    },
    'the other member stands still when the leader has handed over to it': (story) => {
      story.first.give({ kind: 'resign' })
      expect(story.until(() => story.configuration.leader === null)).toBe(true)
      story.second.pause()
    },
    'the other member stands still when it has just become one': (story) => {
      move(story)
      expect(story.until(() => story.first.state!.known!.configuration.members.some(({ node }) => node === story.spare.name))).toBe(true)
      story.spare.pause()
    },
    'the other member stands still when it has just become one, and the spare is slow to begin': (story) => {
      move(story)
      expect(story.until(() => story.first.state!.known!.configuration.members.some(({ node }) => node === story.spare.name))).toBe(true)
      story.spare.pause()
      story.second.pause()
      story.world.after(2_300, () => story.second.resume())
    },
    'the leader loses its disk': (story) => {
      story.first.crash()
      story.startEmpty(story.first)
    },
    'the other member loses its disk': (story) => {
      story.second.crash()
      story.startEmpty(story.second)
    },
  }

  const move = ({ first, second, spare }: Scenario): void => first.give({ kind: 'move', fromStore: second.disk.store, to: { node: spare.name, store: spare.disk.store } })

  // Nothing takes time here but what is waited for: the other second is for real disks, networks and processors.
  const resumeMsMax = ttlMs + 1_000

  it.each(Object.entries(faults))('writes go on within a lease and a second when %s', (_, fail) => {
    const story = begin({ timing: defaultTiming, lease: { ttlMs, stallMsMax: 1_000 } })
    expect(story.write('k', '1')?.kind).toBe('written')
    const failedAtMs = story.world.nowMs
    fail(story)
    for (let i = 2; story.write('k', `${i}`, ttlMs)?.kind !== 'written'; i++) expect(story.world.nowMs - failedAtMs).toBeLessThan(resumeMsMax)
    expect(story.world.nowMs - failedAtMs).toBeLessThan(resumeMsMax)
    expect(story.verdict()).toEqual([])
  })
})
