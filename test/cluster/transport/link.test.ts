/** Silence by a clock that the test owns: half-open connections are noticed, and a pause of the own process is not held against others. */
import { Duplex } from 'node:stream'
import { expect, test } from 'vitest'
import { encodeFrame } from '../../../src/cluster/transport/frame/frame.ts'
import { Link } from '../../../src/cluster/transport/link.ts'
import { defaultTransportSettings } from '../../../src/cluster/transport/settings.ts'
import type { LsmtError } from '../../../src/errors.ts'
import { until } from '../../until.ts'

/** A link over a socket whose other side is the test: what is pushed to it arrives, what it writes is kept. */
function testLink(): { readonly link: Link; readonly clock: { nowMs: number }; readonly ends: string[]; readonly written: Buffer[]; arrive(): void; turn(): Promise<void> } {
  const clock = { nowMs: 1_000_000 }, ends: string[] = [], written: Buffer[] = []
  const socket = new Duplex({ read() {}, write(chunk: Buffer, _, done) {
    written.push(chunk)
    done()
  } })
  const handler = { receive() {}, ended: (reason: LsmtError) => void ends.push(reason.message) }
  const link = new Link({ socket, handshake: handler, clock: { monotonicMs: () => clock.nowMs, wallMicros: () => 0n, sleep: async () => {} }, settings: { ...defaultTransportSettings, heartbeatMs: 5, silentMsMax: 100 } })
  link.establish(handler)
  return {
    link, clock, ends, written,
    arrive: () => void socket.push(Buffer.concat(encodeFrame('message', 0, []).parts)),
    turn: () => new Promise((resolve) => setTimeout(resolve, 15)),
  }
}

test('a connection over which nothing comes ends, however well what is sent leaves', async () => {
  const { clock, ends, written, arrive, turn } = testLink()
  for (let i = 0; i < 20; i++) {
    clock.nowMs += 8
    if (i === 10) arrive()
    await turn()
  }
  expect(ends).toEqual([])
  expect(written.length).toBeGreaterThan(5)
  for (let i = 0; i < 20 && ends.length === 0; i++) {
    clock.nowMs += 8
    await turn()
  }
  expect(ends).toEqual([expect.stringMatching(/^nothing was heard of it for \d+ ms$/)])
})

test('a time in which this process stood still is not silence of the other', async () => {
  const { clock, ends, turn } = testLink()
  clock.nowMs += 60_000
  await turn()
  expect(ends).toEqual([])
  for (let i = 0; i < 14; i++) {
    clock.nowMs += 8
    await turn()
  }
  expect(ends).toHaveLength(1)
})

test('the socket is given what is urgent first, and pieces of streams when nothing else waits', async () => {
  const { link, written } = testLink()
  let taken = 0
  link.outbox.pushBulk(encodeFrame('chunk', 1, [Buffer.from('piece')]), () => taken++)
  link.push(encodeFrame('answer', 2, [Buffer.from('answer')]))
  await until(() => taken === 1)
  const bytes = Buffer.concat(written).toString('latin1')
  expect(bytes.indexOf('answer')).toBeLessThan(bytes.indexOf('piece'))
  link.outbox.pushBulk(encodeFrame('chunk', 1, [Buffer.from('lost')]), () => taken++)
  link.outbox.clear()
  expect(taken).toBe(2)
})
