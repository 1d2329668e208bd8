/** Messages of replication as bytes: all there are come back as they were, and a decoder that meets anything else says what is wrong. */
import { expect, test } from 'vitest'
import type { PeerMessage } from '../../../src/cluster/replication/message.ts'
import type { LogEntry } from '../../../src/cluster/replication/state/log-state.ts'
import { decodeMessage, encodeMessage } from '../../../src/cluster/transport/wire/message-codec.ts'
import type { ShardMessage } from '../../../src/cluster/transport/wire/message-codec.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'

const rounds = process.env['LSMT_TEST_FULL'] === '1' ? 500_000 : 5_000
const seed = Number(process.env['LSMT_SEED'] ?? 1)

const from = { node: 'n1', store: 'store-a' }, to = { node: 'n2', store: 'störe-b' }
const bytesOf = (message: ShardMessage): Buffer => Buffer.concat(encodeMessage(message))
const decode = (bytes: Uint8Array): ShardMessage => decodeMessage(bytes, 'n1', 'n2')

/** Small ones mostly, and those at the ends of what there is. */
function numberBy(random: Random, max = Number.MAX_SAFE_INTEGER): number {
  const value = [() => 0, () => random.below(200), () => random.nextU32(), () => random.nextU32() * 0x20_0000 + random.below(0x20_0000), () => max][random.below(5)]!()
  return Math.min(value, max)
}

function entriesBy(random: Random, sequence: number, epochs: readonly [number, number]): LogEntry[] {
  let [epoch] = epochs
  let lastSequence = sequence
  return Array.from({ length: random.below(4) }, () => {
    const baseSequence = lastSequence + 1
    lastSequence += 1 + random.below(1_000)
    epoch += numberBy(random, Math.min(3, epochs[1] - epoch))
    return { epoch, baseSequence, lastSequence, batch: Buffer.from(Array.from({ length: random.below(50) }, () => random.below(256))) }
  })
}

function messageBy(random: Random): PeerMessage {
  const epoch = numberBy(random)
  const end = (sequenceMax = Number.MAX_SAFE_INTEGER): { sequence: number; epoch: number } => ({ sequence: numberBy(random, sequenceMax), epoch: numberBy(random, epoch) })
  const time = (): { incarnation: number; atMs: number } => ({ incarnation: numberBy(random), atMs: numberBy(random) / 1_000 })
  const envelope = { from, to, epoch }
  const previous = end(Number.MAX_SAFE_INTEGER - 5_000)
  return [
    () => ({ kind: 'append' as const, ...envelope, previous, entries: entriesBy(random, previous.sequence, [previous.epoch, epoch]), commitSequence: numberBy(random), round: numberBy(random), freshAt: random.below(2) === 0 ? undefined : time() }),
    () => ({ kind: 'appended' as const, ...envelope, matchSequence: numberBy(random), round: numberBy(random), sentAt: time(), isAsking: random.below(2) === 0 }),
    () => ({ kind: 'position' as const, ...envelope, end: end(), isFetching: random.below(2) === 0 }),
    () => ({ kind: 'diverged' as const, ...envelope, asked: end(), end: end() }),
    () => ({ kind: 'install' as const, ...envelope, asked: end(), through: end() }),
    () => ({ kind: 'locate' as const, ...envelope }),
    () => ({ kind: 'fenced' as const, ...envelope }),
  ][random.below(7)]!()
}

test(`every message comes back as it was (seed ${seed})`, () => {
  const random = seededRandom(seed)
  for (let round = 0; round < rounds; round++) {
    const given = { shard: random.below(0x1_0000), message: messageBy(random) }
    expect(decode(bytesOf(given))).toEqual(given)
  }
})

test('the bytes never change', () => {
  const entries = [{ epoch: 3, baseSequence: 301, lastSequence: 302, batch: Buffer.from('ab') }, { epoch: 4, baseSequence: 303, lastSequence: 303, batch: Buffer.from('c') }]
  const append: PeerMessage = { kind: 'append', from: { node: 'n1', store: 'a' }, to: { node: 'n2', store: 'b' }, epoch: 5, previous: { sequence: 300, epoch: 2 }, entries, commitSequence: 299, round: 7, freshAt: { incarnation: 1, atMs: 0.5 } }
  expect(bytesOf({ shard: 6, message: append }).toString('hex')).toBe('01' + '06' + '0161' + '0162' + '05' + 'ac0202' + 'ab02' + '07' + '01' + '01000000000000e03f' + '02' + '030202' + '040101' + '6162' + '63')
  expect(bytesOf({ shard: 0, message: { kind: 'fenced', from: { node: 'n1', store: 'a' }, to: { node: 'n2', store: 'b' }, epoch: 0 } }).toString('hex')).toBe('07' + '00' + '0161' + '0162' + '00')
})

test('batches are sent and received without a copy', () => {
  const batch = Buffer.alloc(100, 'x')
  const message: PeerMessage = { kind: 'append', from, to, epoch: 1, previous: { sequence: 0, epoch: 0 }, entries: [{ epoch: 1, baseSequence: 1, lastSequence: 1, batch }], commitSequence: 0, round: 0, freshAt: undefined }
  expect(encodeMessage({ shard: 0, message })[1]).toBe(batch)
  const bytes = bytesOf({ shard: 0, message })
  const decoded = decode(bytes).message
  expect(decoded.kind === 'append' && decoded.entries[0]!.batch.buffer).toBe(bytes.buffer)
})

test.each([
  ['nothing', '', 'a message of replication, kind: expected 1 bytes, found 0 at its end'],
  ['an unknown kind', '08000161016200', 'kind: expected 1 to 7, found 8'],
  ['a shard that cannot be', '07ffff7f', 'shard: expected at most 65535, found 2097151'],
  ['a store without a name', '0700000162', 'store it is from: expected a text, found an empty one'],
  ['a store that is no text', '070001ff016200', 'store it is from: expected UTF-8, found other bytes'],
  ['a number that is longer than it needs to be', '0700016101628000', 'epoch: expected a number in as few bytes as it needs, found a longer one'],
  ['a number beyond 2^53', '070001610162ffffffffffffff7f', 'epoch: expected at most 9007199254740991, found'],
  ['a number without an end', '07000161016280808080808080808080', 'epoch: expected at most eight bytes, found more'],
  ['something behind its end', '0700016101620000', 'its end: expected nothing more, found 1 bytes'],
  ['a flag that is none', '030001610162050a0102', 'is fetching: expected at most 1, found 2'],
  ['an epoch after the sender\'s', '030001610162050a0600', 'epoch of end: expected at most 5, found 6'],
  ['a time that is none', '02000161016205000001000000000000f07f', 'sent at: expected a finite number, found Infinity'],
  ['an entry of an earlier epoch', '01000161016205010300000001020101', 'epoch of an entry: expected at least 3, found 2'],
  ['an entry of a later epoch', '01000161016205010300000001060101', 'epoch of an entry: expected at most 5, found 6'],
  ['an entry without operations', '01000161016205010300000001030001', 'operations of an entry: expected some, found 0'],
  ['a batch that is not all there', '0100016101620501030000000103010261', 'a batch: expected 2 bytes, found 1 at its end'],
  ['entries that are not there', '010001610162050103000000ff01', 'epoch of an entry: expected 1 bytes, found 0 at its end'],
])('%s is refused by name', (_, hex, reason) => {
  expect(() => decode(Buffer.from(hex, 'hex'))).toThrow(expect.objectContaining({ code: '08P01', message: expect.stringContaining(reason) as string }))
})

test(`changed messages are refused, or are messages that could have been sent (seed ${seed})`, () => {
  const random = seededRandom(seed)
  for (let round = 0; round < rounds; round++) {
    const bytes = bytesOf({ shard: random.below(8), message: messageBy(random) })
    const changed = random.below(3) === 0 ? bytes.subarray(0, random.below(bytes.length)) : Buffer.from(bytes)
    for (let i = random.below(4); i > 0 && changed.length > 0; i--) changed[random.below(changed.length)] = random.below(256)
    let decoded: ShardMessage
    try { decoded = decode(changed) } catch (error) {
      expect(error).toMatchObject({ code: '08P01' })
      continue
    }
    expect(bytesOf(decoded).equals(changed)).toBe(true)
  }
})
