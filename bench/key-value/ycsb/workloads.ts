/**
 * The core workloads of YCSB: Cooper et al., "Benchmarking cloud serving systems with YCSB" (2010). One client, which
 * begins an operation when the one before is answered; keys are scattered, so that those that are asked for often lie
 * anywhere, and those that are added do too.
 */
import { seededRandom } from '../../../src/runtime/random.ts'
import type { KeyValueStore } from '../../peers/key-value/store.ts'
import { flat } from '../entries.ts'
import type { Workload } from '../workloads.ts'
import { zipfian } from './zipfian.ts'

type Kind = 'read' | 'update' | 'insert' | 'scan' | 'modify'

export interface YcsbWorkload {
  readonly letter: string
  readonly title: string
  /** Shares of a hundred. */
  readonly mix: readonly (readonly [Kind, number])[]
  /** Which records are asked for most: any, by Zipf's law, or the newest. */
  readonly popular: 'any' | 'newest'
}

export const ycsbWorkloads: readonly YcsbWorkload[] = [
  { letter: 'A', title: 'half read, half update', mix: [['read', 50], ['update', 50]], popular: 'any' },
  { letter: 'B', title: '95 % read, 5 % update', mix: [['read', 95], ['update', 5]], popular: 'any' },
  { letter: 'C', title: 'read only', mix: [['read', 100]], popular: 'any' },
  { letter: 'D', title: '95 % read of the newest, 5 % insert', mix: [['read', 95], ['insert', 5]], popular: 'newest' },
  { letter: 'E', title: '95 % scan of 1 to 100, 5 % insert', mix: [['scan', 95], ['insert', 5]], popular: 'any' },
  { letter: 'F', title: 'half read, half read-modify-write', mix: [['read', 50], ['modify', 50]], popular: 'any' },
]

const scanEntriesMax = 100

/** 16 bytes; each number below 14 million has its own. */
export const recordKey = (record: number): string => flat(`user${((record * 618_033_989) % 1e12).toString().padStart(12, '0')}`)

export interface Operation {
  readonly kind: Kind
  readonly key: string
  /** Of those that write. */
  readonly value: string
  /** Of scans. */
  readonly entries: number
}

/** The records are numbered from 0; those that are inserted follow them. `values` are taken in turn. */
export function ycsbOperations({ mix, popular }: YcsbWorkload, recordCount: number, count: number, values: readonly string[], seed: number): readonly Operation[] {
  const random = seededRandom(seed), chosen = zipfian(random)
  let records = recordCount
  return Array.from({ length: count }, (_, i) => {
    const kind = kindOf(mix, random.below(100))
    const record = kind === 'insert' ? records++ : popular === 'newest' ? records - 1 - chosen.next(records) : spread(chosen.next(recordCount), recordCount)
    return { kind, key: recordKey(record), value: values[i % values.length]!, entries: kind === 'scan' ? 1 + random.below(scanEntriesMax) : 0 }
  })
}

function kindOf(mix: YcsbWorkload['mix'], percent: number): Kind {
  let upTo = 0
  for (const [kind, share] of mix) if (percent < (upTo += share)) return kind
  throw new Error('the shares of a workload are a hundred')
}

/** Popular records lie anywhere among the others. */
const spread = (rank: number, count: number): number => (rank * 15_485_863) % count

export const runOperations = (operations: readonly Operation[]): Workload => async (store) => {
  let digest = 0
  const add = (text: string | undefined): void => void (digest = (Math.imul(digest, 31) + (text === undefined ? 7 : text.charCodeAt(0) * 256 + text.charCodeAt(8))) | 0)
  const visit = (_: string, value: string): void => add(value)
  for (const operation of operations) {
    const pending = run(store, operation, add, visit)
    if (pending !== undefined) await pending
  }
  return { operations: operations.length, answer: String(digest) }
}

function run(store: KeyValueStore, { kind, key, value, entries }: Operation, add: (text: string | undefined) => void, visit: (key: string, value: string) => void): Promise<void> | void {
  switch (kind) {
    case 'read':
      return add(store.getSync(key))
    case 'update':
    case 'insert':
      return store.put(key, value)
    case 'scan':
      return store.range(key, entries, visit)
    case 'modify':
      return store.put(key, modified(store.getSync(key)!, value))
  }
}

/** Half of the old value stays. */
const modified = (old: string, value: string): string => flat(value.slice(0, value.length >> 1) + old.slice(value.length >> 1))
