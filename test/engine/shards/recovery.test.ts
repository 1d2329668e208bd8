import { expect, test } from 'vitest'
import { partsThatDoNotCount } from '../../../src/engine/shards/recovery.ts'
import type { LoggedPart, ShardLog } from '../../../src/engine/shards/recovery.ts'

const participants = [{ shard: 0, baseSequence: 10 }, { shard: 1, baseSequence: 20 }, { shard: 2, baseSequence: 30 }]
const part = (shard: number, transactionId = 'a'): LoggedPart => ({ transactionId, baseSequence: participants[shard]!.baseSequence, participants })
const log = (flushedSequence: number, parts: readonly LoggedPart[] = [], aborted: readonly string[] = []): ShardLog => ({ flushedSequence, parts, aborted: new Set(aborted) })
const lost = (shards: readonly ShardLog[]): string[][] => partsThatDoNotCount(shards).map((ids) => [...ids])

test('a transaction whose parts are all logged counts', () => {
  expect(lost([log(0, [part(0)]), log(0, [part(1)]), log(0, [part(2)])])).toEqual([[], [], []])
})

test('a part missing in one log takes all others with it', () => {
  expect(lost([log(0, [part(0)]), log(0), log(0, [part(2)])])).toEqual([['a'], [], ['a']])
})

test('a participant that has flushed past its part has it', () => {
  expect(lost([log(0, [part(0)]), log(20), log(29, [part(2)])])).toEqual([[], [], []])
  expect(lost([log(0, [part(0)]), log(19), log(29, [part(2)])])).toEqual([['a'], [], ['a']])
})

test('another transaction at the same sequence is not the part', () => {
  const other: LoggedPart = { transactionId: 'b', baseSequence: 20, participants: [{ shard: 1, baseSequence: 20 }] }
  expect(lost([log(0, [part(0)]), log(0, [other]), log(0, [part(2)])])).toEqual([['a'], [], ['a']])
})

test('an abort record anywhere is final, even once a participant has flushed past the sequence', () => {
  expect(lost([log(0, [part(0)], ['a']), log(100), log(0, [part(2)])])).toEqual([['a'], [], ['a']])
})

test('a participant that does not exist makes the part incomplete', () => {
  expect(lost([log(0, [part(0)])])).toEqual([['a']])
})
