/** Stories about who is a member: replacements, wrong disks, and changes of which nobody knows what came. */
import { describe, expect, it } from 'vitest'
import type { Rules } from '../../../../src/cluster/replication/rules.ts'
import { createDisk } from '../disk.ts'
import { begin, valueOf } from './scenario.ts'
import type { Scenario } from './scenario.ts'

const nodesOf = ({ configuration }: Scenario): readonly string[] => configuration.members.map(({ node }) => node).toSorted()

function move(story: Scenario): void {
  const { first, second, spare } = story
  first.give({ kind: 'move', fromStore: second.disk.store, to: { node: spare.name, store: spare.disk.store } })
}

describe('members', () => {
  it('a lost member is replaced by the spare, and no write is acknowledged in between', () => {
    const story = begin()
    story.write('k', '1')
    story.second.crash()
    const early = story.ask(story.first, { action: { kind: 'write', value: '2' } })
    story.run(150)
    expect(early.answer).toBeUndefined()
    expect(valueOf(story.ask(story.first, {}).answer)).toBe('1')
    expect(story.until(() => early.answer?.kind === 'written', 600)).toBe(true)
    expect(nodesOf(story)).toEqual([story.first.name, story.spare.name].toSorted())
    expect(story.verdict()).toEqual([])
  })

  it('a lost leader is followed by the other member, which takes the spare in', () => {
    const story = begin()
    story.write('k', '1')
    story.first.crash()
    expect(story.write('k', '2', 1_500)?.kind).toBe('written')
    expect(nodesOf(story)).toEqual([story.second.name, story.spare.name].toSorted())
    expect(valueOf(story.read('k'))).toBe('2')
    expect(story.verdict()).toEqual([])
  })

  it('a new member whose predecessor\'s log is cut gets files', () => {
    const story = begin()
    for (let i = 0; i < 5; i++) story.write(`k${i}`, `${i}`)
    story.run(60)
    for (const node of [story.first, story.second]) node.flush()
    story.run(30)
    story.write('k', 'after')
    story.second.crash()
    expect(story.write('k', 'later')?.kind).toBe('written')
    expect(story.spare.disk.files.through.sequence).toBeGreaterThan(0)
    story.first.crash()
    expect(story.until(() => story.isLeader(story.spare))).toBe(true)
    story.start(story.second)
    expect(valueOf(story.read('k3'))).toBe('3')
    expect(valueOf(story.read('k'))).toBe('later')
    expect(story.verdict()).toEqual([])
  })

  it('a member that comes back before its replacement is through stays', () => {
    const story = begin()
    story.cutOff(story.spare, [story.first])
    story.second.crash()
    expect(story.until(() => story.configuration.joining !== null, 600)).toBe(true)
    story.start(story.second)
    expect(story.write('k', '1')?.kind).toBe('written')
    expect(story.until(() => story.configuration.joining === null, 600)).toBe(true)
    expect(nodesOf(story)).toEqual([story.first.name, story.second.name].toSorted())
    expect(story.verdict()).toEqual([])
  })

  /** The store takes the change, but the leader does not hear of it, and loses sight of the new member. */
  const unheardReplacement = (rules: Partial<Rules>): readonly string[] => {
    const story = begin({ rules })
    story.write('k', '1')
    move(story)
    expect(story.until(() => story.configuration.joining !== null && story.first.state!.known!.configuration.joining !== null)).toBe(true)
    story.network.cut('etcd', story.first.name)
    expect(story.until(() => nodesOf(story).includes(story.spare.name))).toBe(true)
    story.cutOff(story.first, [story.spare, 'etcd'])
    const alone = story.ask(story.first, { action: { kind: 'write', value: '2' } })
    story.run(60)
    const isAcknowledged = alone.answer?.kind === 'written'
    // The new member may now be elected, as soon as the lease has ended.
    expect(story.until(() => story.isLeader(story.spare), 1_000)).toBe(true)
    story.network.healAll()
    expect(valueOf(story.read('k'))).toBe('1')
    const goesOn = story.write('k', '3')?.kind === 'written'
    return [...story.verdict(), ...(isAcknowledged ? ['acknowledged without the new member'] : []), ...(goesOn ? [] : ['no write goes through'])]
  }

  it('cas-timeout-shrink, eager-union-missing: until the outcome is known, commits wait for old and new members', () => {
    expect(unheardReplacement({})).toEqual([])
  })

  it('a leader that forgets the union loses what it acknowledges', () => {
    const violations = unheardReplacement({ maximalMembers: ({ members }) => members })
    expect(violations).toContain('acknowledged without the new member')
    expect(violations.join()).toMatch(/leads epoch \d+ without sequence/)
  })

  it('cas-timeout-expand: a change without an answer is read back, and made once', () => {
    const story = begin()
    const { version } = story.configuration
    move(story)
    story.network.cut('etcd', story.first.name)
    expect(story.until(() => story.configuration.joining !== null)).toBe(true)
    story.run(90)
    expect(story.first.state!.proposal?.purpose).toBe('join')
    story.network.healAll()
    expect(story.until(() => nodesOf(story).includes(story.spare.name))).toBe(true)
    expect(story.configuration.version).toBe(version + 2)
    expect(story.write('k', '1')?.kind).toBe('written')
    expect(story.verdict()).toEqual([])
  })

  it('a request to the store that arrives after it was given up is the same change, not another one', () => {
    const story = begin()
    const { version } = story.configuration
    story.network.faults.lateness = 1
    move(story)
    story.run(100)
    story.network.faults.lateness = 0
    expect(story.until(() => nodesOf(story).includes(story.spare.name))).toBe(true)
    story.run(300)
    expect(story.configuration.version).toBe(version + 2)
    expect(story.verdict()).toEqual([])
  })

  it('zombie-fetcher: one that does not hear that it was replaced neither counts nor leads', () => {
    const story = begin()
    story.write('k', '1')
    story.cutOff(story.second, ['etcd'])
    move(story)
    expect(story.until(() => nodesOf(story).includes(story.spare.name))).toBe(true)
    story.run(30)
    expect(story.second.state!.known!.configuration.members.map(({ node }) => node)).toContain(story.second.name)
    story.spare.pause()
    const alone = story.ask(story.first, { action: { kind: 'write', value: '2' } })
    story.run(150)
    expect(alone.answer).toBeUndefined()
    story.first.crash()
    story.network.healAll()
    story.run(400)
    expect(story.isLeader(story.second)).toBe(false)
    story.spare.resume()
    expect(valueOf(story.read('k'))).not.toBe(undefined)
    expect(story.verdict()).toEqual([])
  })

  it('removed-and-readded-empty-disk: what a lost disk had confirmed does not count for the new one', () => {
    const story = begin()
    story.write('k', '1')
    const old = story.second.disk.store
    story.spare.crash()
    story.second.crash()
    story.startEmpty(story.second)
    const waiting = story.ask(story.first, { action: { kind: 'write', value: '2' } })
    expect(story.until(() => waiting.answer?.kind === 'written', 900)).toBe(true)
    expect(story.configuration.members.map(({ store }) => store)).toContain(story.second.disk.store)
    expect(story.configuration.members.map(({ store }) => store)).not.toContain(old)
    story.first.crash()
    story.start(story.spare)
    expect(valueOf(story.read('k'))).toBe('2')
    expect(story.verdict()).toEqual([])
  })

  it('old-disk-rejoins: an older copy of a disk is another store', () => {
    const story = begin()
    story.second.crash()
    const copy = createDisk(story.world, story.second.disk.store)
    Object.assign(copy, { incarnation: story.second.disk.incarnation, storedEpoch: story.second.disk.storedEpoch, log: [...story.second.disk.log], files: story.second.disk.files })
    story.start(story.second)
    expect(story.write('k', '1')?.kind).toBe('written')
    story.second.crash()
    story.first.crash()
    story.start(story.second, copy)
    story.run(1_000)
    expect(story.second.disk.store).not.toBe(copy.store)
    expect(story.leader).toBeUndefined()
    story.start(story.first)
    expect(valueOf(story.read('k'))).toBe('1')
    expect(story.verdict()).toEqual([])
  })

  it('wiped-follower-becomes-leader: it does not', () => {
    const story = begin()
    story.write('k', '1')
    story.second.crash()
    story.first.crash()
    story.startEmpty(story.second)
    story.run(1_500)
    expect(story.leader).toBeUndefined()
    story.start(story.first)
    expect(valueOf(story.read('k'))).toBe('1')
    expect(story.write('k', '2')?.kind).toBe('written')
    expect(story.verdict()).toEqual([])
  })

  const onlySpareIsLeft = (rules: Partial<Rules>): Scenario => {
    const story = begin({ rules })
    story.write('k', '1')
    story.first.crash()
    story.second.crash()
    story.until(() => story.observer.violations.length > 0, 1_500)
    return story
  }

  it('spare-elected: it is not', () => {
    const story = onlySpareIsLeft({})
    expect(story.leader).toBeUndefined()
    story.start(story.second)
    expect(valueOf(story.read('k'))).toBe('1')
    expect(story.verdict()).toEqual([])
  })

  it('a spare that could be elected would have nothing', () => {
    expect(onlySpareIsLeft({ mayLead: () => true }).verdict().join()).toMatch(/leads epoch \d+ without sequence/)
  })
})
