/** Twin of assembly/values.ts; the plan is drawn in src/kernel/values.ts. */
import type { LinearMemory } from '../linear-memory.ts'
import type { ValuesExports } from '../values.ts'
import { scanCsv } from './values/csv.ts'
import { encode, measure } from './values/encode.ts'
import { createWriteKeys } from './values/keys.ts'
import { scan } from './values/scan.ts'
import { packTexts } from './values/texts.ts'

export function createValuesJs(memory: LinearMemory): ValuesExports {
  const writeKeys = createWriteKeys(memory)
  return {
    valuesScan: (text, textBytes, plan, rowsBefore, rowsMax, out) => scan(memory, text, textBytes, plan, rowsBefore, rowsMax, out),
    valuesCsv: (text, textBytes, plan, delimiter, rowsMax, lines, out) => scanCsv(memory, { text, textBytes, plan, delimiter, rowsMax, lines, out }),
    valuesTexts: (refs, count, into, ends, endBefore) => packTexts(memory, refs, count, into, ends, endBefore),
    valuesKeys: (plan, count, keys, keysBytes, refs, hashes) => writeKeys(plan, count, keys, keysBytes, refs, hashes),
    valuesMeasure: (plan, count, refs, hashes, shards) => measure(memory, plan, count, refs, hashes, shards),
    valuesEncode: (plan, count, refs, hashes, cursors) => encode(memory, plan, count, refs, hashes, cursors),
  }
}
