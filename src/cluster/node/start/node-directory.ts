/**
 * Whose copies a data directory has, and how often the node was started with it. What never changes stands in the file
 * `format`; every start adds one more:
 *
 *   node/<incarnation, 20 digits>    framed JSON { store }; the newest counts
 *
 * The store is an id by chance: a wiped or foreign disk under a known name is another replica.
 */
import { findFormat, makeFormat, newFormat } from '../../../engine/shards/format-file.ts'
import type { DatabaseFormat, NodeOrigin } from '../../../engine/shards/format-file.ts'
import { corruption, invariant, LsmtError } from '../../../errors.ts'
import type { Kernel } from '../../../kernel/kernel.ts'
import { decodeFramed, encodeFramed } from '../../../lsm/framed-json.ts'
import type { Frame } from '../../../lsm/framed-json.ts'
import type { Clock } from '../../../runtime/clock.ts'
import type { Random } from '../../../runtime/random.ts'
import type { Storage } from '../../../storage/storage.ts'

export interface NodeDirectory {
  /** undefined: nothing is there yet. */
  readonly format: (DatabaseFormat & { readonly cluster: NodeOrigin }) | undefined
  /** undefined: the node was never started with it. */
  readonly lastStart: NodeStart | undefined
}

export interface NodeStart {
  readonly incarnation: number
  readonly store: string
}

export interface DirectoryOptions {
  readonly storage: Storage
  readonly kernel: Kernel
  readonly random: Random
  readonly clock: Clock
}

const folder = 'node/'
const nameOf = (incarnation: number): string => `${folder}${String(incarnation).padStart(20, '0')}`
const frame: Frame = { what: 'start of a node', magic: 'LSMTNODE', version: 1 }

/** Changes nothing. 55000 for a database of its own, and for what is of another cluster or node. */
export async function readNodeDirectory({ storage, kernel }: DirectoryOptions, cluster: string, node: string): Promise<NodeDirectory> {
  const format = await findFormat(storage, kernel)
  if (format === undefined) return { format, lastStart: undefined }
  const { cluster: origin } = format
  if (origin === undefined) throw new LsmtError('55000', `${storage.description} holds a database of its own, not copies of a cluster: give node '${node}' an empty directory, and import there what this one exports`)
  if (origin.cluster !== cluster || origin.node === undefined || origin.node !== node) {
    throw new LsmtError('55000', `${storage.description} is of node '${origin.node}' of the cluster '${origin.cluster}', and was started as node '${node}' of '${cluster}': start it by its own names, or give another directory`, { expected: `${origin.cluster}/${origin.node}`, actual: `${cluster}/${node}` })
  }
  return { format: { ...format, cluster: { ...origin, node } }, lastStart: await readLastStart(storage, kernel) }
}

async function readLastStart(storage: Storage, kernel: Kernel): Promise<NodeStart | undefined> {
  const name = (await storage.list(folder)).at(-1)?.name
  if (name === undefined) return undefined
  const incarnation = Number(name.slice(folder.length))
  const { store } = (decodeFramed(kernel, frame, await storage.read(name), name) ?? {}) as { readonly store?: unknown }
  if (!Number.isSafeInteger(incarnation) || nameOf(incarnation) !== name || typeof store !== 'string' || store === '') throw corruption('start of a node', { file: name, expected: 'a store', actual: JSON.stringify(store) })
  return { incarnation, store }
}

/** Once it is certain that the node belongs to the cluster. */
export async function makeNodeDirectory({ storage, kernel, random, clock }: DirectoryOptions, origin: NodeOrigin, shardCount: number): Promise<void> {
  await makeFormat(storage, kernel, { ...newFormat(random, shardCount), cluster: origin }, clock)
}

/** Before the configuration store hears of it. */
export async function writeStart({ storage, kernel }: DirectoryOptions, { incarnation, store }: NodeStart): Promise<void> {
  const outcome = await storage.createIfAbsent(nameOf(incarnation), [encodeFramed(kernel, frame, { store })])
  invariant(outcome === 'created', () => `start ${incarnation} of this node was there before`)
  for (const { name } of await storage.list(folder)) if (name < nameOf(incarnation)) await storage.delete(name)
}

/** Of a store, or a cluster. */
export function newId(random: Random): string {
  return Array.from({ length: 4 }, () => random.nextU32().toString(16).padStart(8, '0')).join('')
}
