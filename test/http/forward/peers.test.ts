/** A node that is waited for, and is not there any more though its connections stand, is noticed. */
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { createPeers } from '../../../src/http/forward/peers.ts'
import { until } from '../../until.ts'
import { bareServer } from './fake-cluster.ts'

test('silence is told once for all who wait, an answer of any kind is a sign of life', async () => {
  const peers = createPeers({ probeMs: 300 })
  const silent = createServer((socket) => void socket.on('error', () => {}).resume())
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const alive = await bareServer(() => {})
  const told: string[] = []
  const stops = [
    peers.watch(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`, () => told.push('silent')),
    peers.watch(alive.url, () => told.push('alive')),
  ]
  await until(() => told.length > 0)
  await until(() => alive.probes.length > 2)
  expect(new Set(told)).toEqual(new Set(['silent']))
  for (const stop of stops) stop()
  const asked = alive.probes.length
  await new Promise((resolve) => setTimeout(resolve, 500))
  expect(alive.probes.length - asked, 'nobody is asked when nobody waits').toBeLessThanOrEqual(1)
  alive.close()
  silent.close()
  peers.close()
})

test('an address that is none is refused', () => {
  expect(() => createPeers({}).open({ url: 'ftp://x', method: 'GET', path: '/', headers: [] })).toThrow(/http:\/\/HOST:PORT/)
})
