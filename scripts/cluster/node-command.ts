/** A node of the cluster as a command: that of `lsmt serve`. */
import { fileURLToPath } from 'node:url'

export interface ClusterNode {
  readonly nodeId: string
  readonly dataDir: string
  readonly host: string
  readonly port: number
}

export interface ClusterOfNodes {
  readonly name: string
  readonly etcdUrls: readonly string[]
  readonly replicationFactor: number
  readonly secretFile: string
}

export const nodeUrl = ({ host, port }: ClusterNode): string => `http://${host}:${port}`

/** What `npm run build` has made. */
export const builtProgram: readonly string[] = [process.execPath, fileURLToPath(new URL('../../dist/main.js', import.meta.url))]

export function nodeCommand(node: ClusterNode, { name, etcdUrls, replicationFactor, secretFile }: ClusterOfNodes, program = builtProgram): readonly string[] {
  return [
    ...program, 'serve', '--node-id', node.nodeId, '--data-dir', node.dataDir, '--listen', `${node.host}:${node.port}`, '--advertise', nodeUrl(node),
    '--etcd', etcdUrls.join(','), '--cluster', name, '--replication-factor', String(replicationFactor), '--cluster-secret-file', secretFile,
  ]
}
