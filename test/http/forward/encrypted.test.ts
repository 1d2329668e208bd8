/** Nodes with certificates: what is handed on goes over TLS, to a node whose certificate is believed. */
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fakeCluster, there } from './fake-cluster.ts'
import type { FakeCluster, FakeNode } from './fake-cluster.ts'

const pem = (name: string): string => readFileSync(join(import.meta.dirname, '../certificates', name), 'utf8')
const certificate = { cert: Buffer.from(pem('first-cert.pem')), key: Buffer.from(pem('first-key.pem')) }
const insert = "INSERT INTO kv VALUES ('x', '1')"

let cluster: FakeCluster
let a: FakeNode

beforeAll(async () => {
  cluster = fakeCluster()
  a = await cluster.node('a', { certificate })
})
afterAll(() => cluster.close())

function posted(url: string, body: string): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    request(`${url}/query`, { method: 'POST', ca: pem('first-cert.pem') }, (response) => {
      let text = ''
      response.on('data', (bytes: Buffer) => { text += bytes.toString() }).on('end', () => resolve({ status: response.statusCode!, text }))
    }).on('error', reject).end(body)
  })
}

test('a write goes on to a node whose certificate is known', async () => {
  const b = await cluster.node('b', { certificate, peerCa: pem('first-cert.pem') })
  b.coordinators = [there(a.url)]
  for (let i = 0; i < 3; i++) expect((await posted(b.url, insert)).status).toBe(200)
})

test('a node that shows another certificate gets nothing, and it is known that it did not', async () => {
  const b = await cluster.node('b', { peerCa: pem('second-cert.pem') })
  b.coordinators = [there(a.url)]
  const answer = await b.postJson({ sql: insert, timeoutMs: 200 })
  expect([answer.status, answer.json.error.code]).toEqual([503, '57P03'])
  expect(answer.json.error.message).toMatch(/self-signed certificate|unable to verify/)
})

test('a wish for another protocol is no reason not to answer here either', async () => {
  const answer = await new Promise<string>((resolve) => {
    let received = ''
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(a.url).port), ca: pem('first-cert.pem'), servername: 'localhost' }, () => socket.write('GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n'))
    socket.on('data', (bytes: Buffer) => { received += bytes.toString() }).on('end', () => resolve(received))
  })
  expect(answer).toMatch(/^HTTP\/1\.1 200 [^]*"live"/)
})
