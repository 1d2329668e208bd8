import { describe, expect, it } from 'vitest'
import { createLogRounds } from '../../../../src/lsm/log/rounds/log-rounds.ts'

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
})
