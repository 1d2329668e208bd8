/** Every code that lsmt can raise is shown: by a golden script, or by the test that is named here. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { errorCodes } from '../../src/errors.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Codes that no text of SQL leads to by itself. */
const shownBy: Readonly<Record<string, string>> = {
  '08006': 'test/cli/transfer.test.ts',
  '08P01': 'test/cluster/transport/message-codec.test.ts',
  '22021': 'test/regressions/parameters-taken-as-given.test.ts',
  '25P02': 'test/engine/session/broken-transaction.test.ts',
  '28000': 'test/http/guard/tokens.test.ts',
  '40001': 'test/engine/engine-conformance-values.ts',
  '40003': 'test/lsm/tree/tree-writes.test.ts',
  '42501': 'test/http/query.test.ts',
  '53100': 'test/sql/operator/spill/spill.test.ts',
  '53200': 'test/sql/operator/spill/query-memory.test.ts',
  '53300': 'test/http/limits.test.ts',
  '55000': 'test/engine/engine-conformance.ts',
  '55006': 'test/storage/directory-lock.test.ts',
  '57014': 'test/sql/where.test.ts',
  '57P03': 'test/http/routes.test.ts',
  '58030': 'test/engine/spill/spill-file.test.ts',
  '58P01': 'test/storage/storage-conformance.ts',
  XX000: 'test/kernel/linear-heap.test.ts',
  XX001: 'test/corruption/flipped-bytes.test.ts',
  XX002: 'test/corruption/flipped-bytes.test.ts',
}

function textsOf(folder: string, ends: string): readonly string[] {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith(ends))
  return files.map((file) => readFileSync(join(root, folder, file), 'utf8'))
}

test('every code is shown by a script or a test', () => {
  const scripts = textsOf('test/sql/scripts', '.sql.txt').join('\n')
  const notShown = Object.keys(errorCodes).filter((code) => {
    const file = shownBy[code]
    return !(file === undefined ? scripts.includes(`error ${code}`) : readFileSync(join(root, file), 'utf8').includes(code))
  })
  expect(notShown).toEqual([])
})
