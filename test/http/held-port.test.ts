/** A port that is taken before there is a server: whoever connects meanwhile is answered by it. */
import { readFileSync } from 'node:fs'
import { get } from 'node:http'
import type { IncomingMessage, RequestOptions } from 'node:http'
import { get as getSecure } from 'node:https'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { HeldPort } from '../../src/http/held-port.ts'
import { freePorts } from '../shared-server/shared-server.ts'
import { startTestServer } from './http-client.ts'

const pem = (name: string): Buffer => readFileSync(join(import.meta.dirname, 'certificates', name))
const host = '127.0.0.1'

function statusOf(ask: (options: RequestOptions, told: (response: IncomingMessage) => void) => ReturnType<typeof get>, port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => void ask({ host, port, path: '/health/live', agent: false, rejectUnauthorized: false } as RequestOptions, (response) => resolve(response.resume().statusCode)).on('error', reject))
}

test.each([['http', get, undefined], ['https', getSecure, { cert: pem('first-cert.pem'), key: pem('first-key.pem') }]] as const)('%s: clients wait for the server', async (_, ask, certificate) => {
  const [port] = await freePorts(1)
  const heldPort = new HeldPort({ host, port: port! })
  await heldPort.hold()
  let isAnswered = false
  const early = Promise.all([1, 2, 3].map(() => statusOf(ask, port!))).finally(() => { isAnswered = true })
  await sleep(50)
  expect(isAnswered).toBe(false)
  const { server } = await startTestServer({ heldPort, ...(certificate !== undefined && { certificate }) })
  expect(new URL(server.url).port).toBe(String(port))
  expect(await early).toEqual([200, 200, 200])
  expect(await statusOf(ask, port!)).toBe(200)
  // It is the server's now.
  await heldPort.release()
  expect(await statusOf(ask, port!)).toBe(200)
  await server.close(0)
  await expect(statusOf(ask, port!)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

test('that is in use is refused, and one that is let go is free again', async () => {
  const [port] = await freePorts(1)
  const first = new HeldPort({ host, port: port! }), second = new HeldPort({ host, port: port! })
  await first.hold()
  await expect(second.hold()).rejects.toMatchObject({ code: '55006', message: `port ${port} on ${host} is in use by another process` })
  const waiting = connect({ host, port: port! })
  const ended = new Promise((resolve) => waiting.once('close', resolve).on('error', () => {}))
  await new Promise((resolve) => waiting.once('connect', resolve))
  await sleep(20)
  await first.release()
  await ended
  await second.hold()
  await second.release()
})
