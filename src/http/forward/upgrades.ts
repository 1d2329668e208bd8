/**
 * Requests to become another protocol. Those of other nodes get their sockets; all else is answered as the plain request
 * that it is as well (`Upgrade: h2c`, from curl --http2), as a server without this listener would have done.
 */
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ServedCluster } from './served-cluster.ts'

export function answerUpgrades(server: Server, isSecure: boolean, cluster: Pick<ServedCluster, 'isUpgrade' | 'accept'>): void {
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (cluster.isUpgrade(request)) {
      cluster.accept(socket, head)
      return
    }
    // Node has let go of the connection: it begins anew, with the same request without its wish.
    socket.unshift(Buffer.concat([Buffer.from(plainHead(request), 'latin1'), head]))
    server.emit(isSecure ? 'secureConnection' : 'connection', socket)
  })
}

const wishes: ReadonlySet<string> = new Set(['upgrade', 'http2-settings'])

function plainHead({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  const lines = [`${method} ${url} HTTP/${httpVersion}`]
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!, value = rawHeaders[index + 1]!
    if (name.toLowerCase() === 'connection') {
      const kept = value.split(',').filter((each) => !wishes.has(each.trim().toLowerCase()))
      if (kept.length > 0) lines.push(`${name}: ${kept.join(',')}`)
    } else if (!wishes.has(name.toLowerCase())) lines.push(`${name}: ${value}`)
  }
  return `${lines.join('\r\n')}\r\n\r\n`
}
