/** Bytes over sockets as no well-behaved client sends them. */
import { connect } from 'node:net'
import type { Socket } from 'node:net'

export interface RawConnection {
  readonly socket: Socket
  send(bytes: string | Uint8Array): void
  /** What has come so far. */
  received(): string
  /** Resolves when the server has ended or cut the connection. */
  readonly closed: Promise<void>
}

/** Resolves when the connection stands. */
export function openRaw(url: string): Promise<RawConnection> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1' })
    let received = ''
    socket.on('data', (bytes) => { received += bytes.toString('latin1') })
    const closed = new Promise<void>((ended) => { socket.once('close', () => ended()) })
    socket.once('error', reject)
    socket.once('connect', () => {
      // What the server cuts arrives as an error here.
      socket.on('error', () => {})
      resolve({ socket, send: (bytes) => socket.write(bytes), received: () => received, closed })
    })
  })
}

/** Sends, and gives all that came until the server closed the connection; after `msMax` closes it itself. */
export async function exchange(url: string, bytes: string | Uint8Array, msMax = 30_000): Promise<string> {
  const connection = await openRaw(url)
  connection.send(bytes)
  const timer = setTimeout(() => connection.socket.destroy(), msMax)
  await connection.closed
  clearTimeout(timer)
  return connection.received()
}

/** A whole request to /query, with any headers. */
export function rawQuery(body: string, headers: readonly string[] = [], length: number | undefined = Buffer.byteLength(body)): string {
  return [`POST /query HTTP/1.1`, 'Host: localhost', ...(length === undefined ? [] : [`Content-Length: ${length}`]), ...headers, '', body].join('\r\n')
}

export const statusOf = (received: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(received)?.[1] ?? NaN)
