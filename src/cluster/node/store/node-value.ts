/** Values under `node/` and `live/`: a node as it registered itself, and as it is there. */
import { isCount, isName, readStoreValue } from '../../store-value.ts'
import type { LiveNode } from '../../replication/event.ts'

export interface NodeValue {
  readonly incarnation: number
  readonly store: string
  /** `http:` or `https:` URL. */
  readonly address: string
  /** Of lsmt. */
  readonly version: string
  readonly wasCleanlyStopped: boolean
}

export interface LiveValue {
  readonly store: string
  readonly address: string
  /** It is about to stop, and takes nothing over any more. */
  readonly isLeaving: boolean
}

/** A node that is there, and since which revision without a break. */
export interface LiveEntry extends LiveNode, LiveValue {
  readonly createRevision: number
}

export function encodeNode({ incarnation, store, address, version, wasCleanlyStopped }: NodeValue): string {
  return JSON.stringify({ format: 1, incarnation, store, address, version, wasCleanlyStopped })
}

export function decodeNode(text: string, key: string): NodeValue {
  const { fields, broken } = readStoreValue(text, key, 1)
  const { incarnation, store, address, version, wasCleanlyStopped } = fields
  if (!isCount(incarnation)) throw broken('an incarnation', incarnation)
  if (!isName(store)) throw broken('a store', store)
  if (!isAddress(address)) throw broken('an address', address)
  if (!isName(version)) throw broken('a version of lsmt', version)
  if (typeof wasCleanlyStopped !== 'boolean') throw broken('how it stopped', wasCleanlyStopped)
  return { incarnation, store, address, version, wasCleanlyStopped }
}

export function encodeLive({ store, address, isLeaving }: LiveValue): string {
  return JSON.stringify({ format: 1, store, address, ...(isLeaving && { isLeaving }) })
}

export function decodeLive(text: string, key: string): LiveValue {
  const { fields, broken } = readStoreValue(text, key, 1)
  const { store, address, isLeaving = false } = fields
  if (!isName(store)) throw broken('a store', store)
  if (!isAddress(address)) throw broken('an address', address)
  if (typeof isLeaving !== 'boolean') throw broken('whether it leaves', isLeaving)
  return { store, address, isLeaving }
}

export const isAddress = (value: unknown): value is string => typeof value === 'string' && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)
