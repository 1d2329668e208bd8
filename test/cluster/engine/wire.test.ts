/** What coordinators, leaders and clients say in bytes comes back as it was, and whatever else comes is refused, never taken for something. */
import { expect, test } from 'vitest'
import { decodeAppend, decodeAppended, decodeOpen, decodeOpened, decodeRelease, encodeAppend, encodeAppended, encodeOpen, encodeOpened, encodeRefusal, encodeRelease } from '../../../src/cluster/engine/appends/append-codec.ts'
import { decodeToken, encodeToken } from '../../../src/cluster/engine/serve/session-token.ts'
import { refusalOf } from '../../../src/cluster/replica/refusal.ts'
import type { Refusal } from '../../../src/cluster/replica/refusal.ts'
import { LsmtError } from '../../../src/errors.ts'
import { abortBatch, createBatchBuilder } from '../../../src/lsm/batch-builder.ts'
import { seededRandom } from '../../../src/runtime/random.ts'

const id = Uint8Array.from({ length: 16 }, (_, i) => i)
const dropBatch = (): Uint8Array => {
  const builder = createBatchBuilder()
  builder.dropTable(17)
  return builder.finish()
}
const offer = { shard: 7, coordinator: 3, baseSequence: 2 ** 40, until: 'visible', batches: [abortBatch([id]), dropBatch()] } as const
const opened = { lastSequence: 900, flushedSequence: 3, epoch: 12, parts: [{ transactionId: '0f'.repeat(16), baseSequence: 880, participants: [{ shard: 1, baseSequence: 880 }, { shard: 4, baseSequence: 2 }] }], aborted: new Set(['aa'.repeat(16)]) }
const release = { shard: 1, coordinator: 2, throughSequence: 3, settledThrough: 4 }

test('questions and answers come back as they were', () => {
  expect(decodeAppend(Buffer.concat(encodeAppend(offer)))).toEqual({ ...offer, batches: offer.batches.map((batch) => Uint8Array.from(batch)) })
  expect(decodeRelease(encodeRelease(release))).toEqual(release)
  expect(decodeOpen(encodeOpen({ shard: 1, coordinator: 9 }))).toEqual({ shard: 1, coordinator: 9 })
  expect(decodeOpened(encodeOpened(opened), 0)).toEqual(opened)
  expect(decodeAppended(encodeAppended({ copies: 2 }), 0)).toEqual({ copies: 2 })
})

test.each<Refusal>([{ kind: 'notLeader', leader: 'node-ä' }, { kind: 'notLeader', leader: undefined }, { kind: 'notReady' }, { kind: 'fenced', epoch: 2 ** 33 }, { kind: 'gap', expectedSequence: 77 }, { kind: 'timedOut' }])('a refusal is told with what it says: $kind', (refusal) => {
  let told: unknown
  try {
    decodeAppended(encodeRefusal(refusal), 5)
  } catch (error) {
    told = error
  }
  expect(refusalOf(told)).toEqual(refusal)
})

test('bytes that were changed, cut or made up are refused or are something else that is whole', () => {
  const random = seededRandom(17)
  const whole = [Buffer.concat(encodeAppend(offer)), Buffer.from(encodeRelease(release)), Buffer.from(encodeOpened(opened))]
  const decoders = [decodeAppend, decodeRelease, decodeOpen, (body: Uint8Array) => decodeOpened(body, 0), (body: Uint8Array) => decodeAppended(body, 0)]
  for (let round = 0; round < 3_000; round++) {
    const bytes = Buffer.from(whole[random.below(whole.length)]!).subarray(0, round % 3 === 0 ? random.below(60) : undefined)
    for (let changes = random.below(4); changes > 0 && bytes.length > 0; changes--) bytes[random.below(bytes.length)] = random.below(256)
    for (const decode of decoders) {
      try {
        decode(bytes)
      } catch (error) {
        if (!(error instanceof LsmtError) || error.code === 'XX000') throw error
      }
    }
  }
})

test('a token is that of a cluster with as many shards', () => {
  const token = encodeToken([0, 5, 2 ** 52])
  expect(decodeToken(token, 3)).toEqual([0, 5, 2 ** 52])
  for (const wrong of [token, '', 'AAAA', `${token}A`, token.slice(1), 'ä', 'x'.repeat(100_000)]) expect(() => decodeToken(wrong, wrong === token ? 4 : 3)).toThrow(expect.objectContaining({ code: '22023' }))
})
