/** Entries of the key/value benches: keys of 16 bytes and values of 100, made from a fixed seed. */
import { seededRandom } from '../../src/runtime/random.ts'
import type { Random } from '../../src/runtime/random.ts'

export const keyBytes = 16
export const valueBytes = 100

export interface Entries {
  readonly keys: readonly string[]
  readonly values: readonly string[]
}

/** Keys that are there are even, so that those that are not lie between them. */
export const presentKey = (index: number): string => flat((2 * index).toString().padStart(keyBytes, '0'))
export const missingKey = (index: number): string => flat((2 * index + 1).toString().padStart(keyBytes, '0'))

/** Half of a value is random, so that compression finds what it finds in real data, not in repeated bytes. */
export function randomValue(random: Random): string {
  let text = ''
  while (text.length < valueBytes / 2) text += random.nextU32().toString(36)
  return flat(text.slice(0, valueBytes / 2).padEnd(valueBytes, 'abcdefghij'))
}

/** The same text in one piece: texts that were put together are joined by whoever reads them first, which would be the first contestant. */
export const flat = (text: string): string => Buffer.from(text, 'latin1').toString('latin1')

export function entriesInOrder(count: number): Entries {
  const random = seededRandom(7)
  const keys = Array.from({ length: count }, (_, i) => presentKey(i))
  return { keys, values: keys.map(() => randomValue(random)) }
}

export function shuffled({ keys, values }: Entries): Entries {
  const order = shuffledNumbers(keys.length)
  return { keys: Array.from(order, (i) => keys[i]!), values: Array.from(order, (i) => values[i]!) }
}

/** 0 to count - 1. */
function shuffledNumbers(count: number): Int32Array {
  const random = seededRandom(11)
  const order = Int32Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const swapped = order[i]!
    order[i] = order[j]!
    order[j] = swapped
  }
  return order
}

/** A permutation of 0 to count - 1 that needs no memory: steps by a prime that does not divide `count`. */
export const scattered = (index: number, count: number): number => (index * stride) % count
const stride = 15_485_863
