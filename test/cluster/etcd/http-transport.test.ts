/** Requests over real sockets, to servers that behave badly. */
import { createServer } from 'node:http'
import type { RequestListener, Server } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { createHttpTransport } from '../../../src/cluster/etcd/transport/http-transport.ts'
import type { Reply, Transport } from '../../../src/cluster/etcd/transport/transport.ts'

const cleanups: (() => void)[] = []
afterEach(() => { for (const cleanup of cleanups.splice(0)) cleanup() })

async function serve(listener: RequestListener): Promise<{ readonly endpoint: string; readonly server: Server }> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => { server.closeAllConnections(); server.close() })
  return { server, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** Accepts, and says nothing; `heard` is called when it is told something. */
async function serveSilence(heard = (): void => {}): Promise<string> {
  const sockets: Socket[] = []
  const server = createTcpServer((socket) => {
    socket.on('error', () => {}).on('data', heard)
    sockets.push(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => { for (const socket of sockets) socket.destroy(); server.close() })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

function transportOf(messageBytesMax = 1_000): Transport {
  const transport = createHttpTransport({ tls: undefined, messageBytesMax })
  cleanups.push(() => transport.close())
  return transport
}

const request = (endpoint: string, signal: AbortSignal = AbortSignal.timeout(5_000)) => ({ endpoint, path: 'kv/range', headers: { authorization: 't' }, body: '{"key":"ü"}', signal })

describe('the way to a member', () => {
  it('posts a body and gives the whole answer, over a connection that is kept', async () => {
    const seen: string[] = []
    const ports = new Set<number | undefined>()
    const { endpoint } = await serve((incoming, outgoing) => {
      ports.add(incoming.socket.remotePort)
      let body = ''
      incoming.setEncoding('utf8').on('data', (chunk) => { body += chunk }).on('end', () => {
        seen.push(`${incoming.method} ${incoming.url} ${incoming.headers['authorization']} ${body}`)
        outgoing.statusCode = 503
        outgoing.end('{"ü":1}')
      })
    })
    const transport = transportOf()
    for (let i = 0; i < 3; i++) expect(await transport.post(request(endpoint))).toEqual({ kind: 'answered', status: 503, body: '{"ü":1}' })
    expect(seen[0]).toBe('POST /v3/kv/range t {"key":"ü"}')
    expect(ports.size).toBe(1)
  })

  it('keeps no idle connection once a request was given up: what hears nobody any more is not to be heard either', async () => {
    const ports: (number | undefined)[] = []
    const { endpoint } = await serve((incoming, outgoing) => {
      ports.push(incoming.socket.remotePort)
      outgoing.end('{}')
    })
    const transport = transportOf()
    for (let i = 0; i < 2; i++) await transport.post(request(endpoint))
    await transport.post(request(`http://${await serveSilence()}`, AbortSignal.timeout(50)))
    await transport.post(request(endpoint))
    expect(ports[1]).toBe(ports[0])
    expect(ports[2]).not.toBe(ports[0])
  })

  it('knows what certainly did not arrive', async () => {
    const { endpoint, server } = await serve(() => {})
    await new Promise((resolve) => server.close(resolve))
    expect(await transportOf().post(request(endpoint))).toMatchObject({ kind: 'failed', mayHaveArrived: false, reason: expect.stringContaining('ECONNREFUSED') as string })
    expect(await transportOf().post(request('http://no-such-host.invalid'))).toMatchObject({ kind: 'failed', mayHaveArrived: false })
    // The handshake never ends.
    expect(await transportOf().post(request(`https://${await serveSilence()}`, AbortSignal.timeout(100)))).toMatchObject({ kind: 'failed', mayHaveArrived: false })
    expect(await transportOf().post(request(endpoint, AbortSignal.abort()))).toMatchObject({ kind: 'failed', mayHaveArrived: false })
  })

  it('knows what may have arrived: silence, a connection that breaks, an answer that ends early or does not end', async () => {
    const mayHave = async (reply: Promise<Reply>): Promise<void> => expect(await reply).toMatchObject({ kind: 'failed', mayHaveArrived: true })
    const heard = new AbortController()
    await mayHave(transportOf().post(request(`http://${await serveSilence(() => heard.abort())}`, heard.signal)))
    const { endpoint: breaking } = await serve((incoming) => incoming.socket.destroy())
    await mayHave(transportOf().post(request(breaking)))
    const { endpoint: short } = await serve((incoming, outgoing) => {
      outgoing.writeHead(200, { 'content-length': 100 }).write('{')
      setTimeout(() => incoming.socket.destroy(), 20)
    })
    await mayHave(transportOf().post(request(short)))
    const { endpoint: long } = await serve((_, outgoing) => { outgoing.end('x'.repeat(1_001)) })
    await mayHave(transportOf().post(request(long)))
    const begun = new AbortController()
    const { endpoint: endless } = await serve((_, outgoing) => {
      outgoing.writeHead(200).write('{')
      setTimeout(() => begun.abort(), 50)
    })
    await mayHave(transportOf().post(request(endless, begun.signal)))
  })

  it('knows it of a kept connection that the member closes, too', async () => {
    let count = 0
    const { endpoint } = await serve((incoming, outgoing) => {
      if (++count === 2) incoming.socket.destroy()
      else outgoing.end('{}')
    })
    const transport = transportOf()
    expect(await transport.post(request(endpoint))).toMatchObject({ kind: 'answered' })
    expect(await transport.post(request(endpoint))).toMatchObject({ kind: 'failed', mayHaveArrived: true })
  })

  it('gives the lines of a stream, however they are cut, and says why there are no more', async () => {
    const bytes = Buffer.from('{"a":"ü€"}\n\n{"b":2}\n{"cut')
    const { endpoint } = await serve((_, outgoing) => {
      const send = (place: number): void => {
        if (place === bytes.length) return void outgoing.end()
        outgoing.write(bytes.subarray(place, place + 1))
        setImmediate(send, place + 1)
      }
      send(0)
    })
    const reply = await transportOf().stream(request(endpoint))
    if (reply.kind !== 'open') throw new Error(reply.kind)
    const lines: string[] = []
    for (let step = await reply.lines.next(); ; step = await reply.lines.next()) {
      lines.push(step.value)
      if (step.done === true) break
    }
    expect(lines).toEqual(['{"a":"ü€"}', '{"b":2}', 'the member ended the stream'])
    const { endpoint: long } = await serve((_, outgoing) => { outgoing.write('x'.repeat(1_001)) })
    const tooLong = await transportOf().stream(request(long))
    expect(tooLong.kind === 'open' && (await tooLong.lines.next())).toEqual({ done: true, value: 'a message of more than 1000 bytes' })
    const { endpoint: refusing } = await serve((_, outgoing) => { outgoing.statusCode = 400; outgoing.end('{}') })
    expect(await transportOf().stream(request(refusing))).toEqual({ kind: 'answered', status: 400, body: '{}' })
  })

  it('ends a stream by its signal', async () => {
    const { endpoint } = await serve((_, outgoing) => { outgoing.write('{}\n') })
    const end = new AbortController()
    const reply = await transportOf().stream(request(endpoint, end.signal))
    if (reply.kind !== 'open') throw new Error(reply.kind)
    expect(await reply.lines.next()).toEqual({ done: false, value: '{}' })
    setTimeout(() => end.abort(), 20)
    expect(await reply.lines.next()).toMatchObject({ done: true })
  })

  it('reads no more of a stream than is asked for', async () => {
    const line = `${JSON.stringify({ filler: 'x'.repeat(64_000) })}\n`
    let sentBytes = 0
    const { endpoint } = await serve((_, outgoing) => {
      const send = (): void => {
        while (sentBytes < 400_000_000) {
          sentBytes += line.length
          if (!outgoing.write(line)) return void outgoing.once('drain', send)
        }
      }
      send()
    })
    const end = new AbortController()
    const reply = await transportOf(1_000_000).stream(request(endpoint, end.signal))
    if (reply.kind !== 'open') throw new Error(reply.kind)
    await reply.lines.next()
    // What sockets buffer, and not the 400 MB that the member would send.
    let stuckAtBytes = 0
    for (let looks = 0; looks < 10; looks++, await sleep(20)) if (sentBytes !== stuckAtBytes) [stuckAtBytes, looks] = [sentBytes, 0]
    expect(stuckAtBytes).toBeLessThan(40_000_000)
    for (let readBytes = 0; readBytes < stuckAtBytes; readBytes += line.length) await reply.lines.next()
    expect(sentBytes).toBeGreaterThan(stuckAtBytes)
    end.abort()
  })
})
