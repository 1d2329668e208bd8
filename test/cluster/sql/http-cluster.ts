/** HTTP servers before the nodes of a cluster, as clients meet them. */
import { onTestFinished } from 'vitest'
import type { ClusterServer } from '../../../src/cluster/engine/serve/cluster-server.ts'
import { defaultHttpLimits } from '../../../src/http/guard/limits.ts'
import { startTestServer } from '../../http/http-client.ts'
import type { TestServer } from '../../http/http-client.ts'
import type { SqlCluster } from './sql-cluster.ts'

/** That of the node that reads. They end with the test, before the nodes. */
export async function serveHttp({ keepers, reader }: SqlCluster): Promise<TestServer> {
  const urls = new Map<string, string>()
  const serve = async ({ name, server }: SqlCluster['reader']): Promise<TestServer> => {
    // The nodes' own addresses are for other nodes only.
    const coordinator: ClusterServer['coordinator'] = async (waitMs) => {
      const place = await server.coordinator(waitMs)
      return place.kind === 'there' ? { ...place, url: urls.get(place.node)! } : place
    }
    const served = await startTestServer({ engine: server.engine, cluster: Object.create(server, { coordinator: { value: coordinator } }) as ClusterServer, limits: { bodyBytesMax: defaultHttpLimits.bodyBytesMax } })
    urls.set(name, served.url)
    onTestFinished(() => served.server.close(100))
    return served
  }
  const served = await Promise.all([...new Set([...keepers, reader])].map(serve))
  return served.find(({ url }) => url === urls.get(reader.name))!
}
