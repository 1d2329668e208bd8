import { describe, expect, it } from 'vitest'
import type { KeyValue } from '../../../src/cluster/etcd/wire/key-values.ts'
import { changedView, emptyView, listedView, liveNodes, storesOf } from '../../../src/cluster/node/store/cluster-view.ts'
import { checkedName, storeKeys } from '../../../src/cluster/node/store/keys.ts'
import type { StoreKey } from '../../../src/cluster/node/store/keys.ts'
import { decodeLive, decodeNode, encodeLive, encodeNode } from '../../../src/cluster/node/store/node-value.ts'
import { numberOf } from '../../../src/cluster/node/store/revision.ts'
import { encodeCluster, newCluster } from '../../../src/cluster/placement/cluster-value.ts'
import { encodeConfiguration, firstConfiguration, withJoining, withLeader } from '../../../src/cluster/replication/configuration.ts'

const keys = storeKeys('c')
const a = { node: 'a', store: 's1' }, b = { node: 'b', store: 's2' }
const never = (): never => { throw new Error('all can be read') }
const keyValue = (key: string, value: string, modRevision: bigint, createRevision = modRevision): KeyValue => ({ key, value, modRevision, createRevision, version: 1n, leaseId: 0n })
const liveValue = encodeLive({ store: 's1', address: 'http://a:1', isLeaving: false })
const nodeValue = encodeNode({ incarnation: 2, store: 's1', address: 'http://a:1', version: '1', wasCleanlyStopped: false })
const first = firstConfiguration([a, b])

describe('keys in the configuration store', () => {
  it('are read as they are written', () => {
    const all: readonly (readonly [string, StoreKey])[] = [
      [keys.cluster, { kind: 'cluster' }],
      [keys.node('n.1-x'), { kind: 'node', node: 'n.1-x' }],
      [keys.live('n1', 12), { kind: 'live', node: 'n1', incarnation: 12 }],
      [keys.shard(0), { kind: 'shard', shard: 0 }],
    ]
    for (const [key, parsed] of all) expect(keys.parse(key)).toEqual(parsed)
  })

  it.each(['/d/cluster', '/c/other', '/c/cluster/x', '/c/node', '/c/node/a/1', '/c/node/ä', '/c/live/a', '/c/live/a/x', '/c/live/a/1/2', '/c/shard/01', '/c/shard/-1', '/c/shard/1/2', '/c/shard/'])('of others are none: %s', (key) => {
    expect(keys.parse(key)).toBeUndefined()
  })

  it('have no names with other meanings', () => {
    for (const name of ['', '/', 'a/b', '-a', 'a b', 'ä', 'x'.repeat(64)]) expect(() => checkedName('node', name)).toThrow('the node is called')
  })
})

describe('values of nodes', () => {
  it('are read as they were written', () => {
    expect(decodeNode(nodeValue, 'k')).toEqual({ incarnation: 2, store: 's1', address: 'http://a:1', version: '1', wasCleanlyStopped: false })
    expect(decodeLive(liveValue, 'k')).toEqual({ store: 's1', address: 'http://a:1', isLeaving: false })
    const leaving = { store: 's1', address: 'http://a:1', isLeaving: true }
    expect(decodeLive(encodeLive(leaving), 'k')).toEqual(leaving)
  })

  const without = (text: string, changes: object): string => JSON.stringify({ ...(JSON.parse(text) as object), ...changes })
  it.each([
    [{ incarnation: -1 }, 'expected an incarnation'],
    [{ store: '' }, 'expected a store'],
    [{ address: 'ftp://a' }, 'expected an address'],
    [{ version: 7 }, 'expected a version of lsmt'],
    [{ wasCleanlyStopped: null }, 'expected how it stopped'],
    [{ format: 3 }, 'has format 3; this version knows format 1'],
  ])('are refused with %j', (changes, expected) => {
    expect(() => decodeNode(without(nodeValue, changes), 'k')).toThrow(expected)
  })
})

describe('the view of a cluster', () => {
  const listed = [keyValue(keys.cluster, encodeCluster(newCluster('id', 2, 2)), 3n), keyValue(keys.node('a'), nodeValue, 5n), keyValue(keys.live('a', 2), liveValue, 6n, 4n), keyValue(keys.shard(0), encodeConfiguration(first), 7n), keyValue('/c/unknown', '?', 8n)]

  it('is what is listed', () => {
    const view = listedView(emptyView, keys, listed, never)
    expect(view.cluster).toEqual(newCluster('id', 2, 2))
    expect(view.nodes.get('a')).toMatchObject({ incarnation: 2, store: 's1' })
    expect([...liveNodes(view).values()]).toEqual([{ node: 'a', incarnation: 2, store: 's1', address: 'http://a:1', isLeaving: false, createRevision: 4 }])
    expect(view.shards.get(0)).toEqual({ revision: 7, configuration: first })
  })

  it('goes with what changes, and never back', () => {
    const led = withLeader(first, { node: 'a', incarnation: 2 })
    const view = listedView(emptyView, keys, listed, never)
    const changed = changedView(view, keys, [{ kind: 'put', keyValue: keyValue(keys.shard(0), encodeConfiguration(led), 9n) }, { kind: 'put', keyValue: keyValue(keys.live('a', 3), liveValue, 10n) }, { kind: 'delete', key: keys.live('a', 2), modRevision: 11n }], never)
    expect(changed.shards.get(0)).toEqual({ revision: 9, configuration: led })
    expect(liveNodes(changed).get('a')).toMatchObject({ incarnation: 3, createRevision: 10 })
    expect(listedView(changed, keys, listed, never).shards.get(0)).toEqual({ revision: 9, configuration: led })
    expect(changedView(changed, keys, [{ kind: 'delete', key: keys.shard(0), modRevision: 12n }], never).shards.get(0)).toEqual({ revision: 9, configuration: led })
    expect(liveNodes(listedView(changed, keys, [], never)).size).toBe(0)
  })

  it('keeps what it knew of a value that cannot be read, and says so', () => {
    const unreadable: string[] = []
    const view = listedView(emptyView, keys, listed, never)
    const broken = listed.map(({ key, modRevision }) => keyValue(key, '{', modRevision + 10n))
    const after = listedView(view, keys, broken, (key) => unreadable.push(key))
    expect(unreadable).toEqual([keys.cluster, keys.node('a'), keys.live('a', 2), keys.shard(0)])
    expect([after.cluster, after.nodes, after.shards]).toEqual([view.cluster, view.nodes, view.shards])
  })

  it('counts the one that joins among the stores of a shard', () => {
    const joining = withJoining(first, { replica: { node: 'c', store: 's3' }, replaces: 's2', isMove: false })
    expect(storesOf({ revision: 1, configuration: joining })).toEqual(['s1', 's2', 's3'])
  })
})

it('a revision beyond what numbers hold is a bug, not another revision', () => {
  expect(numberOf(2n ** 53n - 1n)).toBe(Number.MAX_SAFE_INTEGER)
  expect(() => numberOf(2n ** 53n)).toThrow('beyond what numbers hold')
})
