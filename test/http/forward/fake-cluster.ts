/** Servers of one cluster over one model database; the test says where writes are coordinated. */
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Consistency } from '../../../src/cluster/engine/serve/cluster-server.ts'
import type { CoordinatorPlace } from '../../../src/cluster/engine/serve/terms.ts'
import type { Engine } from '../../../src/engine/engine.ts'
import { LsmtError } from '../../../src/errors.ts'
import type { ServedCluster } from '../../../src/http/forward/served-cluster.ts'
import { fakeMembership } from './fake-membership.ts'
import { openModelEngine } from '../../engine/model-engine.ts'
import { startTestServer } from '../http-client.ts'
import type { TestServer, TestServerOptions } from '../http-client.ts'

export interface FakeNode extends TestServer {
  /** Levels that were asked for beside the default. */
  readonly levels: Consistency[]
  readonly accepted: Duplex[]
  /** What people asked of the cluster. */
  readonly operated: unknown[]
  /** What is asked for the coordinator, each time; the last stays. */
  coordinators: (() => CoordinatorPlace | Promise<CoordinatorPlace>)[]
}

export interface FakeCluster {
  readonly engine: Engine
  node(name: string, options?: TestServerOptions): Promise<FakeNode>
  close(): Promise<void>
}

export function fakeCluster(): FakeCluster {
  const engine = openModelEngine()
  const reading = Object.create(engine, { isReadOnly: { value: true } }) as Engine
  const nodes: FakeNode[] = []
  return {
    engine,
    async node(nodeId, options = {}) {
      const asked: Pick<FakeNode, 'levels' | 'accepted' | 'operated' | 'coordinators'> = { levels: [], accepted: [], operated: [], coordinators: [() => ({ kind: 'here', engine })] }
      const cluster: ServedCluster = {
        nodeId,
        engine: reading,
        at(level) {
          asked.levels.push(level)
          return reading
        },
        coordinator: async () => await (node.coordinators.length > 1 ? node.coordinators.shift()! : node.coordinators[0]!)(),
        token(seen) {
          if (seen?.startsWith('t') === false) throw new LsmtError('22023', 'this is no token')
          return seen === undefined ? `t-${nodeId}` : `${seen}-${nodeId}`
        },
        copies: 2,
        membership: fakeMembership(nodeId, asked.operated),
        isUpgrade: ({ headers }) => headers.upgrade === 'lsmt-peer',
        accept: (socket) => asked.accepted.push(socket),
      }
      const node: FakeNode = { ...(await startTestServer({ ...options, engine: reading, cluster })), ...asked }
      nodes.push(node)
      return node
    },
    async close() {
      for (const socket of nodes.flatMap(({ accepted }) => accepted)) socket.destroy()
      await Promise.all(nodes.map(({ server }) => server.close(100)))
    },
  }
}

export function there(url: string, over = new AbortController().signal, node = 'other'): () => CoordinatorPlace {
  return () => ({ kind: 'there', node, url, over })
}

export interface BareServer {
  readonly url: string
  readonly requests: IncomingMessage[]
  /** Questions whether it is there, which it answers by itself. */
  readonly probes: IncomingMessage[]
  close(): void
}

/** A node that is nothing but what the test makes of it. */
export async function bareServer(answer: (request: IncomingMessage, response: ServerResponse) => void, takesBodies = true): Promise<BareServer> {
  const requests: IncomingMessage[] = [], probes: IncomingMessage[] = []
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.url === '/health/live') {
      probes.push(request)
      response.writeHead(503).end()
      return
    }
    requests.push(request)
    answer(request, response)
  }
  const server = createServer(handle)
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (takesBodies) response.writeContinue()
    handle(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    probes,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** Nobody listens there. */
export async function deadUrl(): Promise<string> {
  const server = await bareServer(() => {})
  server.close()
  return server.url
}
