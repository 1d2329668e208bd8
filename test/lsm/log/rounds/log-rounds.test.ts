import { describe, expect, it } from 'vitest'
import { createLogRounds } from '../../../../src/lsm/log/rounds/log-rounds.ts'
import { promptMsMax } from '../../../../src/lsm/log/rounds/lone-writes.ts'
import type { LogRounds } from '../../../../src/lsm/log/rounds/log-rounds.ts'
import { createDeferred } from '../../../../src/runtime/deferred.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('rounds of logs', () => {
  it('begins the next when all steps of one are through', async () => {
    const rounds = createLogRounds()
    const told: string[] = []
    let end = (): void => {}
    rounds.onBegin(() => told.push('begins'))
    rounds.join(() => new Promise((resolve) => {
      told.push('slow')
      end = resolve
    }))
    rounds.join(async () => void told.push('quick'))
    await turn()
    rounds.join(async () => void told.push('next'))
    await turn()
    expect(told).toEqual(['begins', 'slow', 'quick'])
    end()
    await turn()
    await turn()
    expect(told).toEqual(['begins', 'slow', 'quick', 'begins', 'next'])
  })

  it('lets what is held back join the round that begins', async () => {
    const rounds = createLogRounds()
    const told: string[] = []
    rounds.onBegin(() => {
      if (told.length === 0) rounds.join(async () => void told.push('joined'))
    })
    rounds.request()
    await turn()
    expect(told).toEqual(['joined'])
    await turn()
    await turn()
    expect(told).toEqual(['joined'])
  })

  it('begins the next at once for those who write again because of one, where no round waits for a disk', async () => {
    const rounds = createLogRounds({ promptly: { monotonicMs: () => 0 } })
    const told: string[] = []
    setImmediate(() => told.push('turn'))
    await writeInTurn(rounds, told, 3)
    expect(told).toEqual(['turn', 'round 1', 'round 2', 'round 3'])
    // Whoever comes later waits for the end of the turn, with all that it brings.
    await turn()
    setImmediate(() => told.push('turn'))
    await writeInTurn(rounds, told, 1)
    expect(told.slice(4)).toEqual(['turn', 'round 1'])
  })

  it('lets timers and sockets have their turn when rounds have followed one another for long', async () => {
    let ms = 0
    const rounds = createLogRounds({ promptly: { monotonicMs: () => ms } })
    const told: string[] = []
    const step = (): void => {
      ms += promptMsMax / 2
      setImmediate(() => told.push('turn'))
    }
    await writeInTurn(rounds, told, 4, step)
    expect(told).toEqual(['round 1', 'round 2', 'turn', 'turn', 'round 3', 'round 4'])
  })

  describe('who writes alone', () => {
    it('is one at a time, until all that is ready has run', async () => {
      const rounds = createLogRounds({ promptly: { monotonicMs: () => 0 } })
      expect([rounds.mayWriteAlone(), rounds.mayWriteAlone()]).toEqual([true, false])
      await Promise.resolve()
      expect([rounds.mayWriteAlone(), rounds.mayWriteAlone()]).toEqual([true, false])
    })

    it('is nobody where rounds wait for a disk, and while a round is asked for or under way', async () => {
      expect(createLogRounds().mayWriteAlone()).toBe(false)
      const rounds = createLogRounds({ promptly: { monotonicMs: () => 0 } })
      const writing = createDeferred()
      rounds.join(() => writing.promise)
      expect(rounds.mayWriteAlone()).toBe(false)
      await turn()
      expect(rounds.mayWriteAlone()).toBe(false)
      writing.resolve()
      await turn()
      expect(rounds.mayWriteAlone()).toBe(true)
    })

    it('may be the first of those whom a round has answered; the others share the next', async () => {
      const rounds = createLogRounds({ promptly: { monotonicMs: () => 0 } })
      const answer = createDeferred()
      rounds.join(() => (answer.resolve(), undefined))
      const told: string[] = []
      const writer = async (): Promise<void> => {
        await answer.promise
        if (rounds.mayWriteAlone()) told.push('alone')
        else rounds.join(() => void told.push('in the round'))
      }
      await Promise.all([writer(), writer(), writer()])
      await turn()
      expect(told).toEqual(['alone', 'in the round', 'in the round'])
    })

    it('lets timers and sockets have their turn', async () => {
      let ms = 0
      const rounds = createLogRounds({ promptly: { monotonicMs: () => ms } })
      expect(rounds.mayWriteAlone()).toBe(true)
      await Promise.resolve()
      ms = promptMsMax / 2
      expect(rounds.mayWriteAlone()).toBe(true)
      await Promise.resolve()
      ms = promptMsMax
      expect(rounds.mayWriteAlone()).toBe(false)
      await turn()
      expect(rounds.mayWriteAlone()).toBe(true)
    })
  })

  it('lets a large statement that comes alone write at once, and answers it after the turn of the event loop where that is due', async () => {
    let ms = 0
    const rounds = createLogRounds({ promptly: { monotonicMs: () => ms } })
    const told: string[] = []
    const write = async (name: string): Promise<void> => {
      const answered = rounds.writeAlone()
      if (answered === undefined) throw new Error(`${name} is not alone`)
      await answered
      told.push(name)
    }
    setImmediate(() => told.push('turn'))
    await write('first')
    ms = promptMsMax
    expect(rounds.mayWriteAlone()).toBe(false)
    await write('late')
    const taken = write('taken')
    expect(rounds.writeAlone()).toBeUndefined()
    await taken
    expect(told).toEqual(['first', 'turn', 'late', 'taken'])
    rounds.join(() => undefined)
    expect([rounds.writeAlone(), createLogRounds().writeAlone()]).toEqual([undefined, undefined])
  })

  it('takes all who were answered together into the round that follows at once', async () => {
    const rounds = createLogRounds({ promptly: { monotonicMs: () => 0 } })
    let held = 0
    const sizes: number[] = []
    let answer = createDeferred()
    rounds.onBegin(() => {
      const answered = answer
      if (held === 0) return
      sizes.push(held)
      held = 0
      answer = createDeferred()
      rounds.join(async () => answered.resolve())
    })
    const writer = async (hops: number): Promise<void> => {
      for (let i = 0; i < 5; i++) {
        held++
        rounds.request()
        await answer.promise
        for (let hop = 0; hop < hops; hop++) await Promise.resolve()
      }
    }
    await Promise.all(Array.from({ length: 8 }, (_, hops) => writer(hops)))
    expect(sizes).toEqual([8, 8, 8, 8, 8])
  })
})

/** A writer that waits for each of its rounds before it asks for the next. */
async function writeInTurn(rounds: LogRounds, told: string[], count: number, step = (): void => {}): Promise<void> {
  for (let i = 1; i <= count; i++) {
    await new Promise<void>((resolve) => rounds.join(async () => {
      told.push(`round ${i}`)
      step()
      resolve()
    }))
  }
}
