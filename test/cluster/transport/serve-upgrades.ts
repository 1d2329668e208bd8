import type { Server } from 'node:http'
import { isUpgrade } from '../../../src/cluster/transport/dial/upgrade.ts'
import type { Transport } from '../../../src/cluster/transport/transport.ts'

/** Gives the transport what the server is asked to upgrade for it. */
export function serveUpgrades(server: Server, transport: Transport): Server {
  return server.on('upgrade', (request, socket, head) => {
    if (isUpgrade(request.url, request.headers.upgrade)) transport.accept(socket, head)
    else socket.destroy()
  })
}
