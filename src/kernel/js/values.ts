/** Twin of assembly/values.ts; the plan is drawn in src/kernel/values.ts. */
import type { LinearMemory } from '../linear-memory.ts'
import type { ValuesExports } from '../values.ts'
import { encode, measure } from './values/encode.ts'
import { createWriteKeys } from './values/keys.ts'
import { scan } from './values/scan.ts'

export function createValuesJs(memory: LinearMemory): ValuesExports {
  const writeKeys = createWriteKeys(memory)
  return {
    valuesScan: (text, textBytes, plan, rowsBefore, rowsMax, out) => scan(memory, text, textBytes, plan, rowsBefore, rowsMax, out),
    valuesKeys: (plan, count, keys, keysBytes, refs, hashes) => writeKeys(plan, count, keys, keysBytes, refs, hashes),
    valuesMeasure: (plan, count, refs, hashes, sizes) => measure(memory, plan, count, refs, hashes, sizes),
    valuesEncode: (plan, count, refs, hashes, cursors) => encode(memory, plan, count, refs, hashes, cursors),
  }
}
