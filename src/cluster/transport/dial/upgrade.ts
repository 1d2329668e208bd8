/**
 * Connections between nodes begin as HTTP/1.1 requests for another protocol, so a node has one port, one address to be
 * told and one certificate, and whatever stands between nodes sees the HTTP that it knows. From the answer on they are
 * plain bytes in both directions.
 */
import type { Duplex } from 'node:stream'
import { LsmtError } from '../../../errors.ts'
import { socketEvent } from './socket-event.ts'

const upgradeProtocol = 'lsmt-peer'
const upgradePath = '/cluster/peer'
const headBytesMax = 8 * 1024
const headEnd = '\r\n\r\n'

/** Whether a request is one for this protocol. An HTTP server that listens for upgrades gets those to others as well (h2c, from curl --http2), which it would have answered as plain requests. */
export const isUpgrade = (url: string | undefined, upgrade: string | undefined): boolean => url === upgradePath && upgrade?.toLowerCase() === upgradeProtocol

export function upgradeRequest(host: string): string {
  return `GET ${upgradePath} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: ${upgradeProtocol}${headEnd}`
}

export function upgradeAnswer(): string {
  return `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${upgradeProtocol}${headEnd}`
}

/** Reads the answer and leaves in the socket what follows it. 08006 for any other answer. */
export async function readUpgradeAnswer(socket: Duplex): Promise<void> {
  let head = Buffer.alloc(0)
  for (;;) {
    head = Buffer.concat([head, await nextChunk(socket)])
    const end = head.indexOf(headEnd)
    if (end < 0 && head.length <= headBytesMax) continue
    const [status = '', ...fields] = head.toString('latin1', 0, Math.max(0, end)).split('\r\n')
    const isAgreed = status.startsWith('HTTP/1.1 101 ') && fields.some((field) => new RegExp(`^upgrade: *${upgradeProtocol}$`, 'i').test(field.trim()))
    if (!isAgreed) throw new LsmtError('08006', `it answers ${JSON.stringify(status.slice(0, 100))}, and not as a node of a cluster`)
    socket.unshift(head.subarray(end + headEnd.length))
    return
  }
}

async function nextChunk(socket: Duplex): Promise<Buffer> {
  for (;;) {
    const chunk = socket.read() as Buffer | null
    if (chunk !== null) return chunk
    await socketEvent(socket, 'readable')
  }
}
