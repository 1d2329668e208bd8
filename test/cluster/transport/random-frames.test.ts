/** Whole frames of chance, as a peer that has proved who it is could send them: they are answered, dropped, or end the connection by a rule; nothing breaks here. */
import { Duplex } from 'node:stream'
import { expect, test } from 'vitest'
import { Answerer } from '../../../src/cluster/transport/call/answerer.ts'
import { Caller } from '../../../src/cluster/transport/call/caller.ts'
import { encodeFrame, frameKinds } from '../../../src/cluster/transport/frame/frame.ts'
import type { FrameKind } from '../../../src/cluster/transport/frame/frame.ts'
import { Link } from '../../../src/cluster/transport/link.ts'
import type { LinkHandler } from '../../../src/cluster/transport/link.ts'
import { messageReceiver } from '../../../src/cluster/transport/replication-messages.ts'
import { defaultTransportSettings } from '../../../src/cluster/transport/settings.ts'
import { LsmtError } from '../../../src/errors.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'

const rounds = process.env['LSMT_TEST_FULL'] === '1' ? 50_000 : 500
const seed = Number(process.env['LSMT_SEED'] ?? 1)
const settings = { ...defaultTransportSettings, streamWindowBytes: 1_000, streamsMax: 3, requestsMax: 3 }
const kinds = Object.keys(frameKinds) as FrameKind[]

const services = {
  message: messageReceiver('n1', () => {}),
  requests: { echo: async (body: Uint8Array) => body, fail: async () => { throw new LsmtError('42P01', 'no table') } },
  streams: { async *bytes() { for (;;) yield Buffer.alloc(100) } },
  failed: (_: string, error: unknown) => { throw error },
}

/** Kinds and numbers that mean something more often than not. */
function frameBy(random: Random): Buffer {
  const method = ['\u0004echo', '\u0004fail', '\u0005bytes', '\u0004none'][random.below(4)]!
  const limit = Buffer.from([random.below(256), random.below(2), 0, 0])
  const bytes = Buffer.from(Array.from({ length: random.below(12) }, () => random.below(256)))
  const payload = [Buffer.concat([Buffer.from(method), limit, bytes]), limit, Buffer.from('42P01 wrong'), Buffer.alloc(8), Buffer.alloc(0), bytes][random.below(6)]!
  return Buffer.concat(encodeFrame(kinds[3 + random.below(kinds.length - 3)]!, random.below(5), [payload]).parts)
}

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0
  for await (const chunk of stream) bytes += chunk.byteLength
  return bytes
}

async function run(random: Random, handlerOf: (link: Link) => LinkHandler): Promise<LsmtError | undefined> {
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
  let reason: LsmtError | undefined
  const link = new Link({ socket, clock: systemClock, settings, handshake: { receive() {}, ended() {} } })
  const handler = handlerOf(link)
  link.establish({
    receive: (frame) => handler.receive(frame),
    ended(error) {
      reason = error
      handler.ended(error)
    },
  })
  for (let count = 1 + random.below(10); count > 0; count--) {
    socket.push(frameBy(random))
    if (random.below(3) === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await new Promise((resolve) => setImmediate(resolve))
  const before = reason
  link.end(new LsmtError('08006', 'the test is over'))
  return before
}

test(`to the side that answers (seed ${seed})`, async () => {
  const random = seededRandom(seed)
  for (let round = 0; round < rounds; round++) expect((await run(random, (link) => new Answerer('n2', link, services, settings)))?.code ?? '08P01').toBe('08P01')
})

test(`to the side that asks (seed ${seed})`, async () => {
  const random = seededRandom(seed)
  for (let round = 0; round < rounds; round++) {
    let outcomes: Promise<readonly PromiseSettledResult<unknown>[]> = Promise.resolve([])
    const reason = await run(random, (link) => {
      const caller = new Caller('n2', link, settings)
      outcomes = Promise.allSettled([caller.request('echo', [], { timeoutMs: 1_000 }), caller.request('echo', [], { timeoutMs: 1_000 }), readAll(caller.stream('bytes', [], {}))])
      return caller
    })
    expect(reason?.code ?? '08P01').toBe('08P01')
    for (const outcome of await outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(LsmtError)
  }
})
