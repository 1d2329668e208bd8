/** What comes from other nodes is checked before it gets anywhere. */
import { describe, expect, it } from 'vitest'
import { createPeerServices } from '../../../src/cluster/replica/peer-services.ts'
import type { PeerReplica } from '../../../src/cluster/replica/replica-options.ts'
import { decodeReleased, encodeReleased, isReleased } from '../../../src/cluster/replica/wire/released-message.ts'
import type { ReleasedMessage } from '../../../src/cluster/replica/wire/released-message.ts'
import type { PeerMessage } from '../../../src/cluster/replication/message.ts'
import type { LogEntry } from '../../../src/cluster/replication/state/log-state.ts'
import { encodeMessage } from '../../../src/cluster/transport/wire/message-codec.ts'
import { write } from './scenario.ts'

const released: ReleasedMessage = { shard: 300, toStore: 's2', throughSequence: 2 ** 53 - 1, settledThrough: 7 }

function receiver(): { readonly onMessage: (from: string, body: Uint8Array) => void; readonly got: (PeerMessage | ReleasedMessage)[] } {
  const got: (PeerMessage | ReleasedMessage)[] = []
  const replica = { store: 's2', receive: (message: PeerMessage) => got.push(message), receiveReleased: (message: ReleasedMessage) => got.push(message) } as unknown as PeerReplica
  const { onMessage } = createPeerServices('n2', (shard) => (shard === 0 ? replica : undefined))
  return { onMessage, got }
}

const append = (...entries: readonly LogEntry[]): Buffer => Buffer.concat(encodeMessage({
  shard: 0,
  message: { kind: 'append', from: { node: 'n1', store: 's1' }, to: { node: 'n2', store: 's2' }, epoch: 1, previous: { sequence: 0, epoch: 0 }, entries, commitSequence: 0, round: 0, freshAt: undefined },
}))
const entry = (baseSequence: number, batch: Uint8Array, operationCount = 2): LogEntry => ({ epoch: 1, baseSequence, lastSequence: baseSequence + operationCount - 1, batch })

describe('messages of other nodes', () => {
  it('of released parts are what was sent', () => {
    const body = encodeReleased(released)
    expect([isReleased(body), decodeReleased(body)]).toEqual([true, released])
    for (let end = 1; end < body.byteLength; end++) expect(() => decodeReleased(body.subarray(0, end))).toThrow(expect.objectContaining({ code: '08P01' }))
    expect(() => decodeReleased(Buffer.concat([body, Buffer.from([0])]))).toThrow(expect.objectContaining({ code: '08P01' }))
  })

  it('reach the replica of their shard and store, with batches that may be kept', () => {
    const { onMessage, got } = receiver(), batch = write(1, 'a'), body = append(entry(1, batch))
    onMessage('n1', body)
    onMessage('n1', encodeReleased({ ...released, shard: 0 }))
    onMessage('n1', encodeReleased(released))
    body.fill(0)
    expect(got).toHaveLength(2)
    const [message] = got as readonly Extract<PeerMessage, { kind: 'append' }>[]
    expect(Buffer.compare(message!.entries[0]!.batch, batch)).toBe(0)
  })

  it.each([
    ['another base sequence', entry(1, write(5, 'a'))],
    ['another number of operations', entry(1, write(1, 'a'), 3)],
    ['fewer bytes than it says', entry(1, write(1, 'a').subarray(0, 40))],
    ['no header', entry(1, new Uint8Array(3))],
  ])('with a batch with %s are refused', (_what, wrong) => {
    const { onMessage, got } = receiver()
    expect(() => onMessage('n1', append(wrong))).toThrow(expect.objectContaining({ code: '08P01' }))
    expect(got).toEqual([])
  })

  it('ask for files of a shard and store that are here', async () => {
    const context = { from: 'n1', connection: new AbortController().signal, signal: new AbortController().signal }
    const { streams } = createPeerServices('n2', () => undefined)
    expect(() => streams['files']!(Buffer.from([0, 2, 0x73, 0x32, 2, 0x73, 0x33]), context)).toThrow(expect.objectContaining({ code: '57P03' }))
    expect(() => streams['files']!(Buffer.from([0, 9]), context)).toThrow(expect.objectContaining({ code: '08P01' }))
  })
})
