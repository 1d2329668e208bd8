/** The handshake without sockets: who is let in, who is refused in which words, and what an attacker can do with what he hears. */
import { expect, test } from 'vitest'
import type { Frame, OutgoingFrame } from '../../../src/cluster/transport/frame/frame.ts'
import { createFrameReader } from '../../../src/cluster/transport/frame/frame-reader.ts'
import { encodeFrame } from '../../../src/cluster/transport/frame/frame.ts'
import { acceptorHandshake, dialerHandshake } from '../../../src/cluster/transport/handshake/handshake.ts'
import type { HandshakeStep, Identity } from '../../../src/cluster/transport/handshake/handshake.ts'
import { encodeHello } from '../../../src/cluster/transport/handshake/hello.ts'
import type { Hello } from '../../../src/cluster/transport/handshake/hello.ts'
import { proofKey } from '../../../src/cluster/transport/handshake/proof.ts'
import { seededRandom } from '../../../src/runtime/random.ts'

const rounds = process.env['LSMT_TEST_FULL'] === '1' ? 100_000 : 2_000
const seed = Number(process.env['LSMT_SEED'] ?? 1)
const goodSecret = 'sixteen or more bytes'
const identity = (node: string, { cluster = 'c', secret = goodSecret, instance = `${'00'.repeat(15)}${node.slice(-1).charCodeAt(0).toString(16)}` } = {}): Identity => ({ cluster, node, instance, key: proofKey(Buffer.from(secret), cluster) })
const nonce = (value: number): Uint8Array => Buffer.alloc(32, value)

function frameOf({ parts }: OutgoingFrame): Frame {
  let found: Frame | undefined
  createFrameReader(() => 10_000, (frame) => void (found = frame)).push(Buffer.concat(parts))
  return found!
}

interface Outcome {
  readonly dialer: string
  readonly acceptor: string
  /** All that went over the wire, from the dialer and from the acceptor. */
  readonly wire: readonly Frame[]
}

const told = (step: HandshakeStep): string => (step.kind === 'proved' ? `proved ${step.peer.node} ${step.peer.version}` : step.kind === 'refused' ? step.reason : 'more')

/** Both sides to their ends. */
function meet(dialer: Identity, wanted: string, acceptor: Identity, admit: () => string | undefined = () => undefined): Outcome {
  const dialing = dialerHandshake(dialer, wanted, nonce(1))
  const accepting = acceptorHandshake(acceptor, nonce(2), admit)
  const wire: Frame[] = []
  const outcomes = { dialer: 'more', acceptor: 'more' }
  let next: OutgoingFrame | undefined = dialing.hello
  for (let turn = 0; next !== undefined; turn++) {
    const frame = frameOf(next)
    wire.push(frame)
    const [side, receive] = turn % 2 === 0 ? ['acceptor', accepting] as const : ['dialer', dialing.receive] as const
    const step = receive(frame)
    outcomes[side] = told(step)
    next = step.send
  }
  return { ...outcomes, wire }
}

test('two nodes of one cluster and one secret prove who they are in four frames', () => {
  const { dialer, acceptor, wire } = meet(identity('n1'), 'n2', identity('n2'))
  expect([dialer, acceptor]).toEqual(['proved n2 1', 'proved n1 1'])
  expect(wire.map(({ kind }) => kind)).toEqual(['hello', 'hello', 'proof', 'proof'])
  expect(Buffer.concat(wire.map(({ payload }) => payload)).includes(goodSecret)).toBe(false)
})

test.each([
  ['another cluster', identity('n1', { cluster: 'd' }), 'n2', identity('n2'), "n1 is of cluster 'd', n2 of 'c'"],
  ['another secret', identity('n1', { secret: 'some other long secret' }), 'n2', identity('n2'), 'n1 has another cluster secret than n2'],
  ['another node than was wanted', identity('n1'), 'n3', identity('n2'), 'n1 wants n3, this is n2'],
  ['a node of the same name', identity('n1'), 'n1', identity('n1', { instance: 'ff'.repeat(16) }), 'two nodes are called n1'],
  ['itself', identity('n1'), 'n2', identity('n1'), 'n1 reached itself'],
])('%s is refused, and both sides know why', (_, dialer, wanted, acceptor, reason) => {
  expect(meet(dialer, wanted, acceptor)).toMatchObject({ dialer: reason, acceptor: reason })
})

test('only who has proved itself is told that it is connected already', () => {
  expect(meet(identity('n1'), 'n2', identity('n2'), () => 'connected already')).toMatchObject({ dialer: 'connected already', acceptor: 'connected already' })
  const asked = meet(identity('n1', { secret: 'some other long secret' }), 'n2', identity('n2'), () => { throw new Error('asked') })
  expect(asked.acceptor).toBe('n1 has another cluster secret than n2')
})

const helloFrame = (changes: Partial<Hello>): Frame => frameOf(encodeFrame('hello', 0, [encodeHello({ leastVersion: 1, greatestVersion: 1, cluster: 'c', node: 'n1', wanted: 'n2', instance: '00'.repeat(16), nonce: nonce(1), ...changes })]))

test('versions that go together agree on the greatest, others are refused', () => {
  const answer = (changes: Partial<Hello>): string => told(acceptorHandshake(identity('n2'), nonce(2), () => undefined)(helloFrame(changes)))
  expect(answer({ leastVersion: 1, greatestVersion: 7 })).toBe('more')
  expect(answer({ leastVersion: 2, greatestVersion: 7, cluster: 'd' })).toBe('n1 speaks versions 2 to 7 of the protocol between nodes, n2 1 to 1')
  expect(answer({ leastVersion: 0, greatestVersion: 0 })).toBe('n1 speaks versions 0 to 0 of the protocol between nodes, n2 1 to 1')
})

test('a hello of a later version may say more at its end', () => {
  const longer = encodeFrame('hello', 0, [helloFrame({ greatestVersion: 9 }).payload, Buffer.from('more')])
  expect(told(acceptorHandshake(identity('n2'), nonce(2), () => undefined)(frameOf(longer)))).toBe('more')
})

test('what was heard of one handshake is of no use in another, nor what a node says itself', () => {
  const { wire } = meet(identity('n1'), 'n2', identity('n2'))
  const [hello, , proof] = wire as [Frame, Frame, Frame, Frame]
  const replayed = acceptorHandshake(identity('n2'), nonce(3), () => undefined)
  replayed(hello)
  expect(told(replayed(proof))).toBe('n1 has another cluster secret than n2')

  // Somebody without the secret sends a node's own hello and proof back to it.
  const dialing = dialerHandshake(identity('n1'), 'n2', nonce(1))
  const mirrored = dialing.receive(helloFrame({ node: 'n2' }))
  expect(told(dialing.receive(frameOf(mirrored.send!)))).toBe('n2 has another cluster secret than n1')
})

test('frames that do not belong there, and bytes of chance, end it', () => {
  const accept = (): ReturnType<typeof acceptorHandshake> => acceptorHandshake(identity('n2'), nonce(2), () => undefined)
  const frame = (kind: Frame['kind'], payload: Uint8Array = Buffer.alloc(0)): Frame => ({ kind, call: 0, payload })
  expect(() => accept()(frame('message'))).toThrow('a frame (message) where a hello was expected')
  expect(() => accept()(frame('hello', Buffer.from('GET / HTTP/1.1')))).toThrow('the other side is no node of lsmt')
  const asked = accept()
  asked(helloFrame({}))
  expect(() => asked(helloFrame({}))).toThrow('a frame (hello) where a proof was expected')
  expect(told(asked(frame('proof', Buffer.alloc(3))))).toBe('n1 has another cluster secret than n2')

  const random = seededRandom(seed), { payload } = helloFrame({})
  for (let round = 0; round < rounds; round++) {
    const changed = Buffer.from(payload.subarray(0, random.below(payload.length + 1)))
    for (let i = random.below(4); i > 0 && changed.length > 0; i--) changed[random.below(changed.length)] = random.below(256)
    try { expect(told(accept()(frame('hello', changed)))).not.toMatch(/^proved/) } catch (error) { expect(error, `seed ${seed}`).toMatchObject({ code: '08P01' }) }
  }
})

test('a secret that could be guessed is refused', () => {
  expect(() => proofKey(Buffer.from('short'), 'c')).toThrow(expect.objectContaining({ code: '22023' }))
})
