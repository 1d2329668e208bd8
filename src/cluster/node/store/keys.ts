/**
 * Where a cluster keeps what in the configuration store, below a folder of its name:
 *
 *   cluster                      what all nodes must agree on
 *   node/<node>                  a node as it was registered at its last start
 *   live/<node>/<incarnation>    it is there; under its lease
 *   shard/<number>               who keeps the shard
 */
import { LsmtError } from '../../../errors.ts'
import type { Condition } from '../../etcd/wire/transaction.ts'

export type StoreKey =
  | { readonly kind: 'cluster' }
  | { readonly kind: 'node'; readonly node: string }
  | { readonly kind: 'live'; readonly node: string; readonly incarnation: number }
  | { readonly kind: 'shard'; readonly shard: number }

export interface StoreKeys {
  /** Of all of them. */
  readonly prefix: string
  readonly cluster: string
  node(node: string): string
  live(node: string, incarnation: number): string
  shard(shard: number): string
  /** undefined for what is none of ours. */
  parse(key: string): StoreKey | undefined
}

/** Part of keys, addresses and lines of logs. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/

/** 22023 for a name that a cluster or a node cannot have. */
export function checkedName(what: 'cluster' | 'node', name: string): string {
  if (!namePattern.test(name)) throw new LsmtError('22023', `the ${what} is called ${JSON.stringify(name.slice(0, 80))}: 1 to 63 letters, digits, '.', '_' and '-' are wanted, a letter or digit first`)
  return name
}

export function storeKeys(cluster: string): StoreKeys {
  const prefix = `/${checkedName('cluster', cluster)}/`
  return {
    prefix,
    cluster: `${prefix}cluster`,
    node: (node) => `${prefix}node/${node}`,
    live: (node, incarnation) => `${prefix}live/${node}/${incarnation}`,
    shard: (shard) => `${prefix}shard/${shard}`,
    parse: (key) => (key.startsWith(prefix) ? parsed(key.slice(prefix.length).split('/')) : undefined),
  }
}

/** The key is not there. */
export const isAbsent = (key: string): Condition => ({ kind: 'create-revision', key, is: '=', to: 0n })

function parsed([kind, name, number, ...rest]: readonly string[]): StoreKey | undefined {
  if (rest.length > 0) return undefined
  if (kind === 'cluster' && name === undefined) return { kind }
  if (name === undefined) return undefined
  if (kind === 'shard' && number === undefined) return isNumber(name) ? { kind, shard: Number(name) } : undefined
  if (!namePattern.test(name)) return undefined
  if (kind === 'node' && number === undefined) return { kind, node: name }
  return kind === 'live' && number !== undefined && isNumber(number) ? { kind, node: name, incarnation: Number(number) } : undefined
}

const isNumber = (text: string): boolean => /^(0|[1-9][0-9]{0,14})$/.test(text)
