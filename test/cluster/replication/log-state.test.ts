import { describe, expect, it } from 'vitest'
import { beginEpoch, emptyEpochs, endOfEpoch, epochAt, trimEpochs, truncateEpochs } from '../../../src/cluster/replication/state/epochs.ts'
import type { Epochs } from '../../../src/cluster/replication/state/epochs.ts'
import { appended, emptyLog, endOfLog, replacedByFiles, trimmed, truncated } from '../../../src/cluster/replication/state/log-state.ts'
import type { LogEntry } from '../../../src/cluster/replication/state/log-state.ts'
import { seededRandom } from '../../../src/runtime/random.ts'

/** Epochs by their starts: [1, 0] is epoch 1 after sequence 0. */
const epochs = (...starts: readonly (readonly [number, number])[]): Epochs => starts.map(([epoch, startSequence]) => ({ epoch, startSequence }))
const entry = (epoch: number, baseSequence: number, lastSequence = baseSequence): LogEntry => ({ epoch, baseSequence, lastSequence, batch: new Uint8Array() })

describe('epochs of a log', () => {
  it('are known for every position', () => {
    const list = epochs([0, 0], [1, 0], [3, 10], [4, 12])
    expect([0, 1, 10, 11, 12, 13, 99].map((sequence) => epochAt(list, sequence))).toEqual([0, 1, 1, 3, 3, 4, 4])
  })

  it('that had no entries are forgotten when the next one begins', () => {
    expect(beginEpoch(epochs([0, 0], [1, 0], [2, 7]), 3, 7)).toEqual(epochs([0, 0], [1, 0], [3, 7]))
    expect(beginEpoch(emptyEpochs, 1, 0)).toEqual(epochs([0, 0], [1, 0]))
    expect(beginEpoch(epochs([0, 0], [1, 0]), 1, 5)).toEqual(epochs([0, 0], [1, 0]))
  })

  it('end where the next one begins, and an epoch without entries is answered with the one before', () => {
    const list = epochs([0, 0], [1, 0], [3, 10])
    expect(endOfEpoch(list, 15, 1)).toEqual({ epoch: 1, sequence: 10 })
    expect(endOfEpoch(list, 15, 2)).toEqual({ epoch: 1, sequence: 10 })
    expect(endOfEpoch(list, 15, 7)).toEqual({ epoch: 3, sequence: 15 })
    expect(endOfEpoch(epochs([2, 8]), 15, 1)).toBeUndefined()
  })

  it('are cut at both ends', () => {
    const list = epochs([0, 0], [1, 0], [3, 10], [4, 12])
    expect(truncateEpochs(list, 12)).toEqual(epochs([0, 0], [1, 0], [3, 10]))
    expect(truncateEpochs(list, 11)).toEqual(epochs([0, 0], [1, 0], [3, 10]))
    expect(truncateEpochs(list, 10)).toEqual(epochs([0, 0], [1, 0]))
    expect(trimEpochs(list, 11)).toEqual(epochs([3, 11], [4, 12]))
    expect(trimEpochs(list, 12)).toEqual(epochs([3, 12], [4, 12]))
    expect(epochAt(trimEpochs(list, 12), 12)).toBe(3)
  })

  it('agree with a list of the epochs of all entries', () => {
    const random = seededRandom(5)
    for (let run = 0; run < 60; run++) {
      let log = emptyLog, epoch = 0
      const model: { readonly epoch: number; readonly end: number }[] = []
      for (let i = 0; i < 30; i++) {
        epoch += random.below(3) === 0 ? 1 + random.below(2) : 0
        const next = entry(epoch, log.lastSequence + 1, log.lastSequence + 1 + random.below(3))
        log = appended(log, [next])
        model.push({ epoch, end: next.lastSequence })
        if (random.below(8) === 0) {
          const kept = 1 + random.below(model.length), to = model[kept - 1]!.end
          if (to >= log.startSequence) {
            model.length = kept
            log = truncated(log, to)
          }
        }
        if (random.below(10) === 0) log = trimmed(log, model[random.below(model.length)]!.end)
        for (const { epoch: expected, end } of model) if (end >= log.startSequence) expect(epochAt(log.epochs, end)).toBe(expected)
        const asked = random.below(epoch + 2), inLog = model.filter(({ end, epoch: of }) => end >= log.startSequence && of <= asked).at(-1)
        if (inLog !== undefined) expect(endOfEpoch(log.epochs, log.lastSequence, asked)?.sequence).toBe(inLog.end)
      }
    }
  })
})

describe('the state of a log', () => {
  it('refuses gaps, overlaps and epochs that go back', () => {
    const log = appended(emptyLog, [entry(2, 1, 3)])
    expect(endOfLog(log)).toEqual({ sequence: 3, epoch: 2 })
    expect(() => appended(log, [entry(2, 5)])).toThrow('an entry [5, 5] after sequence 3')
    expect(() => appended(log, [entry(2, 3)])).toThrow('after sequence 3')
    expect(() => appended(log, [entry(1, 4)])).toThrow('an entry of epoch 1 after one of 2')
    expect(() => truncated(log, 4)).toThrow('truncation to 4')
  })

  it('says of what was cut or replaced that completions before it mean nothing', () => {
    const log = { ...appended(emptyLog, [entry(1, 1), entry(1, 2)]), durableSequence: 2 }
    expect(truncated(log, 1)).toMatchObject({ lastSequence: 1, durableSequence: 1, generation: 1, isCutting: true })
    expect(replacedByFiles(log, { sequence: 9, epoch: 4 })).toEqual({ startSequence: 9, lastSequence: 9, durableSequence: 9, epochs: epochs([4, 9]), generation: 1, isCutting: false })
    expect(trimmed(trimmed(log, 2), 1).startSequence).toBe(2)
  })
})
