/** Answers that break off in the middle: in every format, compressed or not, the client can tell. */
import { request } from 'node:http'
import { connect } from 'node:net'
import { brotliDecompressSync, constants, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LsmtError } from '../../src/errors.ts'
import { openModelEngine } from '../engine/model-engine.ts'
import { startTestServer } from './http-client.ts'
import type { TestServer } from './http-client.ts'
import { largeEngine } from './large-engine.ts'

const failure = new LsmtError('XX001', 'corrupt block')
const formats = ['json', 'jsonl', 'csv', 'arrow'] as const

interface Received {
  readonly status: number | undefined
  readonly encoding: string | undefined
  readonly body: Buffer
  /** Whether the body came to its end. */
  readonly complete: boolean
}

function post(url: string, format: string, headers: Readonly<Record<string, string>> = {}): Promise<Received> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/query?format=${format}`, { method: 'POST', headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', () => {})
      response.once('close', () => resolve({ status: response.statusCode, encoding: response.headers['content-encoding'], body: Buffer.concat(chunks), complete: response.complete }))
    })
    sent.on('error', reject)
    sent.end('SELECT * FROM kv')
  })
}

/** What a reader makes of it, be it complete or not. */
function decompressed({ encoding, body }: Received): Buffer {
  if (encoding === 'br') return brotliDecompressSync(body, { finishFlush: constants.BROTLI_OPERATION_FLUSH })
  return encoding === 'gzip' ? gunzipSync(body, { finishFlush: constants.Z_SYNC_FLUSH }) : body
}

describe('an error in mid-stream', () => {
  for (const format of formats) {
    for (const encoding of ['identity', 'gzip', 'br']) {
      // One that is to be closed is answered by Node, one that is kept in the lane.
      for (const connection of ['close', 'keep-alive']) test(`${format}, ${encoding}, ${connection}`, async () => {
        const { url, server, faults } = await startTestServer({ engine: largeEngine(50, failure).engine })
        const received = await post(url, format, { 'accept-encoding': encoding, connection })
        expect([received.status, received.complete, received.encoding]).toEqual([200, false, encoding === 'identity' ? undefined : encoding])
        expect(faults).toEqual([failure])
        expectBroken(format, decompressed(received))
        await server.close(100)
      })
    }
  }

  test('over HTTP 1.0, where a body ends with its connection, CSV is refused', async () => {
    const { url, server } = await startTestServer({ engine: largeEngine(50, failure).engine })
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1')
      let text = ''
      socket.on('data', (bytes: Buffer) => { text += bytes.toString() }).on('error', reject).on('end', () => resolve(text))
      socket.write('POST /query?format=csv HTTP/1.0\r\nHost: localhost\r\nContent-Length: 16\r\n\r\nSELECT * FROM kv')
    })
    expect(answer).toMatch(/^HTTP\/1.1 400 .*"code":"0A000","message":"CSV over HTTP 1.0 is not supported"/s)
    await server.close(100)
  })

  test('a time limit in mid-stream, whether the client reads or not', async () => {
    const endless = largeEngine(Number.MAX_SAFE_INTEGER)
    const { url, server } = await startTestServer({ engine: endless.engine })
    const body = JSON.stringify({ sql: 'SELECT * FROM kv', timeoutMs: 1_000 })
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.pause()
    socket.write(`POST /query?format=jsonl HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    while (endless.released === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    let text = ''
    socket.on('data', (bytes: Buffer) => { text += bytes.toString() })
    await new Promise((resolve) => { socket.once('end', resolve).resume() })
    expect(text).toMatch(/\{"error":\{"code":"57014","message":"the statement took longer than 1000 ms"\}\}\n\r\n$/)
    socket.destroy()
    await server.close(100)
  })
})

function expectBroken(format: (typeof formats)[number], body: Buffer): void {
  const text = body.toString()
  switch (format) {
    case 'json':
      expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError)
      break
    case 'jsonl':
      expect(JSON.parse(text.trimEnd().split('\n').at(-1)!)).toEqual({ error: { code: 'XX001', message: 'corrupt block' } })
      break
    case 'csv':
      expect(text).toMatch(/^key,value\r\nk,v+/)
      break
    case 'arrow':
      expect(body.subarray(-8).equals(Buffer.from('ffffffff00000000', 'hex'))).toBe(false)
  }
}

describe('compression', () => {
  let large: TestServer
  let small: TestServer
  beforeAll(async () => {
    large = await startTestServer({ engine: largeEngine(3).engine })
    small = await startTestServer({ engine: openModelEngine() })
  })
  afterAll(async () => {
    await large.server.close(100)
    await small.server.close(100)
  })

  test('by what the client takes', async () => {
    const asked: readonly (readonly [string, string | undefined])[] = [['gzip', 'gzip'], ['br', 'br'], ['gzip, deflate', 'gzip'], ['br;q=0.5, gzip', 'gzip'], ['deflate', undefined], ['gzip;q=0', undefined], ['identity, gzip;q=0.5', undefined]]
    for (const [accepted, encoding] of asked) {
      for (const connection of ['close', 'keep-alive']) {
        const { url, server } = await startTestServer({ engine: largeEngine(3).engine })
        const received = await post(url, 'csv', { 'accept-encoding': accepted, connection })
        expect([accepted, received.encoding, received.complete]).toEqual([accepted, encoding, true])
        expect(decompressed(received).toString().split('\r\n')).toHaveLength(302)
        if (encoding !== undefined) expect(received.body.length).toBeLessThan(30_000)
        await server.close(100)
      }
    }
  })

  test('small answers go as they are', async () => {
    const received = await post(small.url, 'json', { 'accept-encoding': 'gzip' })
    expect([received.encoding, (JSON.parse(received.body.toString()) as { rowCount: number }).rowCount]).toEqual([undefined, 0])
  })

  test('a slow stream arrives as it is made', async () => {
    for (const encoding of ['identity', 'gzip', 'br']) {
      let go = (): void => {}
      const waiting = new Promise<void>((resolve) => { go = resolve })
      const model = openModelEngine()
      const engine = { ...model, async *scan() { yield [['first', 'row']]; await waiting; yield [['second', 'row']] } }
      const { url, server } = await startTestServer({ engine })
      const response = await fetch(`${url}/query?format=csv`, { method: 'POST', body: 'SELECT * FROM kv', headers: { 'accept-encoding': encoding } })
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
      let text = ''
      while (!text.includes('first')) text += (await reader.read()).value ?? ''
      expect(text).not.toContain('second')
      go()
      for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value
      expect(text).toBe('key,value\r\nfirst,row\r\nsecond,row\r\n')
      await server.close(100)
    }
  })
})
