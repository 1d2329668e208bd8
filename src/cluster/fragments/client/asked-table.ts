/**
 * What point reads of one table have learnt from another node. Rows of a snapshot stay known for as long as it does; of
 * the newest state they are given to those who asked, in the same step in which they have come, and to nobody later.
 */
import type { AskedElsewhere, ReadStats } from '../../../lsm/tree.ts'
import { afterStep } from '../../../runtime/after-step.ts'
import type { PointRow } from '../wire/point-rows.ts'

export interface KnownRow {
  /** undefined: there is none of the key. */
  readonly row: PointRow | undefined
}

/** Rows of the first keys, and how many bytes they take. */
export interface AnsweredRows {
  readonly rows: readonly (PointRow | undefined)[]
  readonly byteLength: number
}

export interface AskedTable {
  readonly asked: AskedElsewhere
  /** By the key's bytes as latin1. */
  known(name: string): KnownRow | undefined
  /** Forgets what is known; what is under way will not become known. */
  forget(): void
}

const knownBytesMax = 16 * 1024 * 1024, knownRowsMax = 65_536

/** `isKept` false: it is the newest state. */
export function createAskedTable(isKept: boolean, ask: (keys: readonly Uint8Array[], stats: ReadStats | undefined) => Promise<AnsweredRows>): AskedTable {
  const rowsByKey = new Map<string, KnownRow>()
  let knownBytes = 0, writes = 0

  function clear(): void {
    rowsByKey.clear()
    knownBytes = 0
  }

  function know(names: readonly string[], { rows, byteLength }: AnsweredRows): void {
    if (knownBytes + byteLength > knownBytesMax || rowsByKey.size > knownRowsMax) clear()
    knownBytes += byteLength
    rows.forEach((row, i) => rowsByKey.set(names[i]!, { row }))
    if (!isKept) afterStep(clear)
  }

  return {
    asked: {
      async ask(keys, stats) {
        const before = writes
        const byName = new Map(keys.map((key) => [keyName(key), key]))
        const answered = await ask([...byName.values()], stats)
        return () => {
          if (writes === before) know([...byName.keys()], answered)
        }
      },
    },
    known: (name) => rowsByKey.get(name),
    forget() {
      writes++
      clear()
    },
  }
}

const keyName = (key: Uint8Array): string => Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
