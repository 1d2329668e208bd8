/** Stories about logs that differ: who keeps what, and who must forget it. */
import { describe, expect, it } from 'vitest'
import type { Disk } from '../disk.ts'
import { begin, valueOf } from './scenario.ts'
import type { Scenario } from './scenario.ts'

/** An entry on the disk of the leader alone, which then crashes. */
function leaveTail(story: Scenario, value: string): void {
  story.network.cut(story.first.name, story.second.name)
  const { answer } = story.ask(story.first, { key: 'tail', action: { kind: 'write', value } })
  story.run(12)
  expect(answer).toBeUndefined()
  expect(story.first.disk.log.at(-1)!.lastSequence).toBeGreaterThan(story.second.disk.log.at(-1)?.lastSequence ?? 0)
  story.first.crash()
  story.network.healAll()
}

describe('logs', () => {
  // KIP-101, first scenario: the commit that a follower knows of lags one message behind what was acknowledged.
  const highWatermarkTruncation = (beforeStart?: (disk: Disk) => void): readonly string[] => {
    const story = begin(beforeStart === undefined ? {} : { beforeStart })
    expect(story.write('k', '1')?.kind).toBe('written')
    const written = story.ask(story.first, { action: { kind: 'write', value: '2' } })
    expect(story.until(() => written.answer !== undefined, 200)).toBe(true)
    expect(written.answer?.kind).toBe('written')
    expect(story.second.state!.commitSequence).toBeLessThan(story.first.state!.commitSequence)
    story.second.crash()
    story.first.crash()
    story.start(story.second)
    expect(story.until(() => story.isLeader(story.second))).toBe(true)
    const value = valueOf(story.read('k'))
    return value === '2' ? story.verdict() : [...story.verdict(), `k is ${value}`]
  }

  it('hw-truncation: a restarted follower keeps what it cannot know to be committed', () => {
    expect(highWatermarkTruncation()).toEqual([])
  })

  it('hw-truncation is noticed where it happens', () => {
    expect(highWatermarkTruncation((disk) => void (disk.log = disk.log.filter(({ lastSequence }) => lastSequence <= disk.highWatermark)))).not.toEqual([])
  })

  it('divergent-same-offset: two entries at one position, of which the one that was committed stays', () => {
    const story = begin()
    story.write('k', '1')
    leaveTail(story, 'lost')
    // Without a spare the other member leads, but cannot do anything until the first one is back.
    story.spare.crash()
    expect(story.until(() => story.isLeader(story.second))).toBe(true)
    const position = story.first.disk.log.at(-1)!.lastSequence
    story.start(story.first)
    expect(story.write('k', '2')?.kind).toBe('written')
    expect(story.observer.counts.get('send diverged')).toBeGreaterThan(0)
    expect(story.first.disk.log.find(({ lastSequence }) => lastSequence === position)?.epoch).toBe(story.second.state!.epoch)
    expect(valueOf(story.read('tail'))).toBe(null)
    expect(story.verdict()).toEqual([])
  })

  it('back-to-back-elections-empty-epoch: epochs without entries neither keep a tail nor cost what was committed', () => {
    const story = begin()
    story.write('k', '1')
    leaveTail(story, 'lost')
    story.spare.crash()
    // Three elections in a row, in none of which anything is written.
    for (let i = 0; i < 3; i++) {
      expect(story.until(() => story.isLeader(story.second))).toBe(true)
      story.second.crash()
      story.start(story.second)
    }
    story.start(story.first)
    expect(valueOf(story.read('k'))).toBe('1')
    expect(valueOf(story.read('tail'))).toBe(null)
    expect(story.write('k', '2')?.kind).toBe('written')
    expect(story.verdict()).toEqual([])
  })

  it('a tail that nobody confirmed is committed if its owner leads again', () => {
    const story = begin()
    leaveTail(story, 'kept')
    story.start(story.first)
    story.until(() => story.isLeader(story.first), 100)
    const value = valueOf(story.read('tail'))
    expect(value).toBe(story.isLeader(story.first) ? 'kept' : null)
    expect(story.verdict()).toEqual([])
  })

  it('sst-contains-uncommitted: files hold only what is committed', () => {
    const story = begin()
    story.write('k', '1')
    story.network.cut(story.first.name, story.second.name)
    story.ask(story.first, { key: 'tail', action: { kind: 'write', value: 'uncommitted' } })
    story.run(12)
    story.first.flush()
    story.run(12)
    const { through, rows } = story.first.disk.files
    expect(through.sequence).toBe(story.first.state!.commitSequence)
    expect(through.sequence).toBeLessThan(story.first.state!.log.lastSequence)
    expect([...rows.values()]).not.toContain('uncommitted')
    expect(story.verdict()).toEqual([])
  })

  it('deposed-leader-publishes-manifest: what it puts into files is committed all the same', () => {
    const story = begin()
    story.write('k', '1')
    story.cutOff(story.first, [story.second, story.spare, 'etcd'])
    story.ask(story.first, { key: 'tail', action: { kind: 'write', value: 'uncommitted' } })
    expect(story.until(() => story.isLeader(story.second))).toBe(true)
    expect(story.write('k', '2')?.kind).toBe('written')
    expect(story.isLeader(story.first)).toBe(true)
    story.first.flush()
    story.run(20)
    expect([...story.first.disk.files.rows.values()]).not.toContain('uncommitted')
    story.network.healAll()
    expect(story.until(() => !story.isLeader(story.first))).toBe(true)
    expect(valueOf(story.read('tail'))).toBe(null)
    expect(story.verdict()).toEqual([])
  })

  it('stale-commit-index-read: a new leader answers nothing before it knows what was committed', () => {
    const story = begin()
    story.write('k', '1')
    const written = story.ask(story.first, { action: { kind: 'write', value: '2' } })
    story.until(() => written.answer !== undefined, 200)
    expect(written.answer?.kind).toBe('written')
    story.first.crash()
    story.spare.crash()
    expect(story.until(() => story.isLeader(story.second))).toBe(true)
    expect(story.second.state!.commitSequence).toBeLessThan(story.second.state!.log.lastSequence)
    for (const level of [{ kind: 'lease' }, { kind: 'linearizable' }] as const) expect(story.ask(story.second, { level }).answer?.kind).toBe('refused')
    story.start(story.spare)
    expect(valueOf(story.read('k'))).toBe('2')
    expect(story.verdict()).toEqual([])
  })

  it('retry-after-unknown: a request whose answer was lost with its leader happens once', () => {
    const story = begin()
    story.write('before', '1')
    const client = story.client('retrying')
    const { lastSequence } = story.first.state!.log
    let answer: string | undefined
    // The entry reaches the second copy, the answer does not come back.
    story.network.cut(story.second.name, story.first.name)
    client.run({ kind: 'compareAndSet', expected: null, value: '1' }, 'k', { kind: 'lease' }, (given) => (answer = given?.kind))
    expect(story.until(() => story.second.disk.log.at(-1)!.lastSequence > lastSequence, 200)).toBe(true)
    story.first.crash()
    story.network.healAll()
    expect(story.until(() => answer !== undefined)).toBe(true)
    expect(answer).toBe('written')
    expect(story.compareAndSet('k', '1', '2')?.kind).toBe('written')
    expect(story.compareAndSet('k', '1', '3')?.kind).toBe('mismatch')
    expect(valueOf(story.read('k'))).toBe('2')
    expect(story.verdict()).toEqual([])
  })

  it('double-crash-periodic-sync: disks that may have lost acknowledged writes count for nothing', () => {
    const story = begin({ syncsBeforeAck: false })
    expect(story.write('k', '1')?.kind).toBe('written')
    const before = story.configuration.members
    story.first.crash()
    story.second.crash()
    story.start(story.first)
    story.start(story.second)
    story.run(1_500)
    expect(story.leader).toBeUndefined()
    expect(story.configuration.members).toEqual(before)
    expect(story.verdict()).toEqual([])
  })
})
