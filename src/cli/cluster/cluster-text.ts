/** The status of a cluster for people: its nodes, its shards, and what is wrong. */
import type { ClusterStatus } from '../serve/cluster-status.ts'
import { createTableView } from '../sql-shell/table-view.ts'

const text = (name: string): { readonly name: string; readonly type: string } => ({ name, type: 'TEXT' })
const number = (name: string): { readonly name: string; readonly type: string } => ({ name, type: 'BIGINT' })

export function clusterText(status: ClusterStatus): string {
  const { name, replicationFactor, coordinator, nodes, moving } = status
  const head = `cluster ${name}: ${nodes.length} nodes, ${replicationFactor} copies of everything, ${coordinator === null ? 'nobody coordinates writes' : `${coordinator} coordinates writes`}${moving === 0 ? '' : `, ${moving} copies are on their way`}`
  return [head, nodesTable(status), shardsTable(status), ...troublesOf(status)].join('\n')
}

function nodesTable({ nodes }: ClusterStatus): string {
  const view = createTableView([text('node'), text('address'), text('version'), text('state'), number('copies'), number('leads')])
  for (const { node, address, version, live, draining, copies, leads, cleanlyStopped } of nodes) {
    const state = live ? 'live' : cleanlyStopped ? 'stopped' : 'lost'
    view.add([node, address, version, draining ? `${state}, draining` : state, copies, leads])
  }
  return view.end().trimEnd()
}

function shardsTable({ shards }: ClusterStatus): string {
  const view = createTableView([number('shard'), number('epoch'), text('leader'), text('members'), text('joining'), number('copies'), number('lag'), number('sequence')])
  for (const { shard, epoch, leader, members, joining, copies, lag, commitSequence } of shards) {
    view.add([shard, epoch, leader, members.map(({ node, live }) => (live ? node : `${node} (lost)`)).join(', '), joining, copies, lag, commitSequence])
  }
  return view.end().trimEnd()
}

/** A line each; none when all is well. */
export function troublesOf({ node, etcd, nodes, shards, stuck, unopened, replicationFactor }: ClusterStatus): readonly string[] {
  const headless = shards.filter(({ leader }) => leader === null).map(({ shard }) => shard)
  const fewer = shards.filter(({ members }) => members.filter(({ live }) => live).length < replicationFactor).map(({ shard }) => shard)
  const mayLack = shards.filter(({ possibleLoss }) => possibleLoss !== null).map(({ shard }) => shard)
  const versions = new Set(nodes.filter(({ live }) => live).map(({ version }) => version))
  return [
    ...(etcd.failure === null ? [] : [`etcd cannot be read: ${etcd.failure}`]),
    ...(shards.length === 0 ? ['shards have no nodes yet'] : []),
    ...listed(headless, 'without a leader'),
    ...listed(fewer, 'with fewer copies than there should be'),
    ...listed(mayLack, 'that may lack what was acknowledged, since a copy that was no member was taken'),
    ...listed(stuck, 'that cannot leave draining nodes: no other can take them'),
    ...unopened.map(({ shard, reason }) => `${node} cannot open its copy of shard ${shard}: ${reason}`),
    ...(versions.size > 1 ? [`nodes are of different versions: ${[...versions].toSorted().join(', ')}`] : []),
  ]
}

function listed(shards: readonly number[], what: string): readonly string[] {
  return shards.length === 0 ? [] : [`${shards.length === 1 ? 'shard' : 'shards'} ${what}: ${shards.join(', ')}`]
}
