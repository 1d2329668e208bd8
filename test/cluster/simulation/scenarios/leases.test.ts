/** Stories about time: who believes to lead, and for how long. */
import { describe, expect, it } from 'vitest'
import type { Rules } from '../../../../src/cluster/replication/rules.ts'
import type { Answer } from '../service.ts'
import { begin, valueOf } from './scenario.ts'

describe('leases', () => {
  it('stale-leader-acks-after-lease: a leader that was followed by another one acknowledges nothing more', () => {
    const story = begin()
    story.write('k', '1')
    story.cutOff(story.first, ['etcd'])
    const from = story.first.state!.epoch
    expect(story.until(() => story.isLeader(story.second))).toBe(true)
    const late = story.ask(story.first, { action: { kind: 'write', value: 'late' } })
    story.run(300)
    expect(late.answer?.kind).not.toBe('written')
    expect(story.second.state!.epoch).toBeGreaterThan(from)
    expect(valueOf(story.read('k'))).toBe('1')
    expect(story.verdict()).toEqual([])
  })

  /** The leader stands still between the effect and the snapshot, and the world goes on. */
  const pausedRead = (rules: Partial<Rules>): Answer | undefined => {
    const story = begin({ rules })
    story.write('k', 'old')
    story.first.stallNextServe(900)
    const read = story.ask(story.first, {})
    story.cutOff(story.first, [story.second, story.spare, 'etcd'])
    expect(story.until(() => story.isLeader(story.second))).toBe(true)
    expect(story.write('k', 'new')?.kind).toBe('written')
    expect(read.answer).toBeUndefined()
    story.until(() => read.answer !== undefined, 1_500)
    return read.answer
  }

  it('leader-pauses-between-lease-check-and-snapshot: the clock is looked at after the snapshot', () => {
    expect(pausedRead({})?.kind).toBe('refused')
  })

  it('a read that was served after the deadline would be old', () => {
    expect(valueOf(pausedRead({ leaseHolds: () => true }))).toBe('old')
  })

  it('a lease that was lost and got anew serves no reads until the store confirmed who leads', () => {
    // It would step down otherwise, since it hears nobody, or ask for a replacement, and hear by the answer who leads.
    const story = begin({ timing: { resignAfterMs: 60_000, replaceAfterMs: 60_000 } })
    story.write('k', 'old')
    story.cutOff(story.first, [story.second, story.spare, 'etcd'])
    expect(story.until(() => story.isLeader(story.second))).toBe(true)
    expect(story.write('k', 'new')?.kind).toBe('written')
    // It gets a new lease before it hears what happened meanwhile.
    story.store.watchLagMs = 10_000
    const lost = story.first.state!.lease!.leaseId
    for (const [from, to] of [[story.first.name, 'etcd'], ['etcd', story.first.name]] as const) story.network.heal(from, to)
    const answers: { readonly answer: Answer | undefined }[] = []
    expect(story.until(() => {
      answers.push(story.ask(story.first, {}))
      return story.first.state!.lease!.leaseId !== lost && story.first.nowMs < story.first.state!.lease!.deadlineMs
    }, 500)).toBe(true)
    expect(story.first.state!.known!.configuration.leader!.node).toBe(story.first.name)
    for (let i = 0; i < 30; i++) {
      answers.push(story.ask(story.first, {}))
      story.run(5)
    }
    expect(answers.filter(({ answer }) => answer?.kind === 'value')).toEqual([])
    expect(story.verdict()).toEqual([])
  })

  it('a lease that was revoked by hand is confirmed anew when nobody followed', () => {
    const story = begin()
    story.write('k', '1')
    story.second.pause()
    story.store.revoke(story.first.name)
    const lost = story.first.state!.lease!.leaseId
    expect(story.until(() => story.first.state!.lease!.leaseId !== lost, 200)).toBe(true)
    story.run(60)
    expect(story.observer.counts.get('swap renew')).toBeGreaterThan(0)
    expect(valueOf(story.ask(story.first, {}).answer)).toBe('1')
    expect(story.verdict()).toEqual([])
  })

  it('lease-lost-under-cpu-load: a main loop that is late for a moment keeps its lease', () => {
    const story = begin()
    const { epoch } = story.first.state!
    for (let i = 0; i < 20; i++) {
      story.first.hang()
      story.run(45)
      story.first.resume()
      story.run(20)
    }
    expect(story.first.state!.epoch).toBe(epoch)
    expect(story.isLeader(story.first)).toBe(true)
    expect(story.first.state!.lease!.deadlineMs).toBeGreaterThan(story.first.nowMs)
    expect(story.verdict()).toEqual([])
  })

  it('keepalive-worker-alive-main-loop-hung: a main loop that hangs loses its lease, and serves nothing when it is back', () => {
    const story = begin()
    story.write('k', 'old')
    story.first.hang()
    const read = story.ask(story.first, {})
    expect(story.until(() => story.isLeader(story.second), 600)).toBe(true)
    expect(story.write('k', 'new')?.kind).toBe('written')
    story.first.resume()
    story.run(300)
    expect(valueOf(read.answer) ?? 'new').toBe('new')
    expect(story.isLeader(story.first)).toBe(false)
    expect(story.verdict()).toEqual([])
  })

  it('clock-jump: time that leaps ahead ends a lease early, and hurts nobody', () => {
    const story = begin()
    story.write('k', '1')
    story.first.jumpClock(10_000)
    expect(valueOf(story.read('k'))).toBe('1')
    expect(story.write('k', '2')?.kind).toBe('written')
    story.second.jumpClock(3_600_000)
    expect(valueOf(story.read('k'))).toBe('2')
    story.run(1_000)
    expect(valueOf(story.read('k'))).toBe('2')
    expect(story.verdict()).toEqual([])
  })

  it('stale reads and sessions of a follower keep what they promise, or wait', () => {
    const story = begin()
    const token = (story.write('k', '1') as { readonly sequence: number }).sequence
    const session = story.ask(story.second, { level: { kind: 'session', afterSequence: token } })
    expect(story.until(() => session.answer !== undefined, 90)).toBe(true)
    expect(valueOf(session.answer)).toBe('1')
    const fresh = story.ask(story.second, { level: { kind: 'stale', staleMsMax: 150 } })
    expect(valueOf(fresh.answer)).toBe('1')
    story.cutOff(story.second, [story.first])
    story.run(200)
    const outdated = story.ask(story.second, { level: { kind: 'stale', staleMsMax: 150 } })
    const ahead = story.ask(story.second, { level: { kind: 'session', afterSequence: token + 100 } })
    story.run(90)
    expect([outdated.answer, ahead.answer]).toEqual([undefined, undefined])
    story.run(40)
    expect([outdated.answer?.kind, ahead.answer?.kind]).toEqual(['refused', 'refused'])
    expect(story.verdict()).toEqual([])
  })

  it('a read of a session on a follower need not wait for the next sign of life', () => {
    const story = begin({ timing: { heartbeatMs: 10_000, replaceAfterMs: 60_000, resignAfterMs: 60_000 } })
    const token = (story.write('k', '1') as { readonly sequence: number }).sequence
    expect(story.second.state!.commitSequence).toBeLessThan(token)
    const session = story.ask(story.second, { level: { kind: 'session', afterSequence: token } })
    expect(story.until(() => session.answer !== undefined, 12)).toBe(true)
    expect(valueOf(session.answer)).toBe('1')
    expect(story.verdict()).toEqual([])
  })
})
