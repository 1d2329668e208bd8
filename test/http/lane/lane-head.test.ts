/** Heads that the lane takes are read as Node reads them; what Node refuses, or what changes how a body is read, it leaves. */
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readLaneHead } from '../../../src/http/lane/lane-head.ts'
import { fullTests } from '../../kernel/both-kinds.ts'
import { exchange } from '../raw-client.ts'

const headOf = (lines: readonly string[]): string => ['POST /query HTTP/1.1', ...lines, '', ''].join('\r\n')
const plain = ['Host: localhost', 'Content-Length: 8']

describe('taken', () => {
  const taken: readonly (readonly string[])[] = [
    plain,
    [...plain, 'Connection: keep-alive'],
    [...plain, 'connection: Keep-Alive', 'Accept: */*', 'Accept-Encoding: gzip, deflate, br', 'User-Agent: node', 'sec-fetch-mode: cors', 'Empty:', 'X:   spaces and more   '],
    ['HOST:localhost', 'content-length:0', 'X-Request-Id: a-1', 'Authorization: Bearer t', 'Idempotency-Key: "k"'],
  ]
  for (const lines of taken) test(lines.join(' | '), () => expect(readLaneHead(headOf(lines), 100)).toMatchObject({ url: '/query' }))
})

describe('left to Node', () => {
  const left: readonly (readonly [string, string])[] = [
    ['no length', headOf(['Host: localhost'])],
    ['no host', headOf(['Content-Length: 8'])],
    ['an empty host', headOf(['Host:', 'Content-Length: 8'])],
    ['a header twice', headOf([...plain, 'A: 1', 'a: 2'])],
    ['two lengths', headOf([...plain, 'content-length: 8'])],
    ['too many headers', headOf([...plain, ...Array.from({ length: 99 }, (_, i) => `X${i}: 1`)])],
    ...['-1', '+8', '08', '8.0', '0x8', '1e1', '8, 8', '', ' ', '9999999999'].map((length) => [`the length ${length}`, headOf(['Host: localhost', `Content-Length: ${length}`])] as const),
    ...['Transfer-Encoding: chunked', 'transfer-encoding: identity', 'Expect: 100-continue', 'Upgrade: h2c', 'Connection: close', 'Connection: keep-alive, upgrade', 'Content-Encoding: gzip', 'TE: trailers', 'Trailer: X', '__proto__: 1'].map((line) => [line, headOf([...plain, line])] as const),
    ...['A : 1', ': 1', 'A', ' A: 1', 'A: \x7f', 'A: é', 'A: \0', 'A: 1\nB: 2', 'A: 1\rB: 2', 'A\t: 1', 'A: 1\r\n folded'].map((line) => [JSON.stringify(line), headOf([...plain, line])] as const),
    ...['GET /query HTTP/1.1', 'POST /query HTTP/1.0', 'POST /queryx HTTP/1.1', 'POST  /query HTTP/1.1', 'POST /query  HTTP/1.1', 'post /query HTTP/1.1', 'POST /query?a b HTTP/1.1', 'POST http://localhost/query HTTP/1.1', '', '\r\nPOST /query HTTP/1.1'].map((line) => [JSON.stringify(line), headOf(plain).replace('POST /query HTTP/1.1', line)] as const),
  ]
  for (const [what, text] of left) test(what, () => expect(readLaneHead(text, 100)).toBe(undefined))
})

describe('beside Node', () => {
  let server: Server
  let read: { readonly url: string | undefined; readonly headers: IncomingHttpHeaders; readonly body: string }[] = []
  beforeAll(async () => {
    server = createServer({ requireHostHeader: false }, (request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => { body += chunk.toString('latin1') })
      request.on('end', () => {
        read.push({ url: request.url, headers: request.headers, body })
        response.writeHead(200, { connection: 'close' }).end()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterAll(() => { server.close() })

  test('whatever the lane takes, Node takes, with the same URL, headers and body', async () => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const piece = fc.constantFrom('\r', '\n', '\r\n', ' ', '\t', ':', ',', ';', 'é', '\0', '\x7f', 'a', 'Host: x', '8', 'Transfer-Encoding: chunked', 'Content-Length: 3', 'Connection: close', '?format=csv', '\r\n\r\n', 'X: y\r\n')
    const edits = fc.array(fc.record({ at: fc.nat(120), dropped: fc.nat(2), piece }), { maxLength: 3 })
    let takenCount = 0
    await fc.assert(fc.asyncProperty(edits, async (changes) => {
      let text = headOf(['Host: localhost', 'Content-Type: text/plain', 'A-b: c d', 'Content-Length: 8'])
      for (const { at, dropped, piece: inserted } of changes) text = text.slice(0, at) + inserted + text.slice(at + dropped)
      const end = text.indexOf('\r\n\r\n') + 4
      const head = readLaneHead(text.slice(0, end), 100)
      // A body of another length than the head says is another matter.
      if (head === undefined || end < text.length) return
      takenCount++
      read = []
      const body = 'SELECT 12'.repeat(12).slice(0, head.bodyLength)
      const answer = await exchange(url, Buffer.from(text + body, 'latin1'), 500)
      expect(answer).toMatch(/^HTTP\/1\.1 200 /)
      expect(read).toEqual([{ url: head.url, headers: head.headers, body }])
    }), { numRuns: fullTests ? 20_000 : 500 })
    expect(takenCount).toBeGreaterThan(50)
  }, 120_000)
})
