/** Nodes whose addresses are `https:`: certificates are checked before anything is said. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { connectAll, startNode, text } from './test-node.ts'
import { until } from '../../until.ts'

const pem = (name: string): string => readFileSync(join(import.meta.dirname, '../../http/certificates', name), 'utf8')
const first = { cert: pem('first-cert.pem'), key: pem('first-key.pem') }

test('all services work over TLS', async () => {
  const options = { certificate: first, tls: { ca: first.cert }, streams: { async *bytes() { yield* Array.from({ length: 40 }, () => Buffer.alloc(100_000)) } } }
  const [n1, n2] = [await startNode('n1', options), await startNode('n2', options)]
  await connectAll(n1, n2)
  n1.transport.send('n2', text('hello'))
  expect(Buffer.from(await n1.transport.request('n2', 'echo', [Buffer.alloc(300_000, 'x')], { timeoutMs: 20_000 })).equals(Buffer.alloc(300_000, 'x'))).toBe(true)
  let bytes = 0
  for await (const chunk of n2.transport.stream('n1', 'bytes', [])) bytes += chunk.byteLength
  expect(bytes).toBe(4_000_000)
  expect(n2.messages).toEqual(['n1 hello'])
})

test('a certificate that nobody vouches for is refused, and certificates that are none', async () => {
  const n1 = await startNode('n1', { tls: { ca: pem('second-cert.pem') } }), n2 = await startNode('n2', { certificate: first })
  n1.transport.setPeers(new Map([['n2', n2.url]]))
  await until(() => n1.lines.length > 0)
  expect(n1.lines[0]).toMatch(/^no connection to n2: .*self.signed certificate/)
  await expect(startNode('n3', { tls: { cert: 'nonsense' } })).rejects.toMatchObject({ code: '22023' })
})
