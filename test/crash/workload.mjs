/**
 * The workload of the kill test, a pure function of the statement's number, shared by the process that is killed and
 * the one that checks. Each statement writes several rows that fall on several shards:
 *
 *   n % 4 = 0, 1  inserts five rows of its own into kv
 *   n % 4 = 2     overwrites the eight rows of one of four groups in kv with its number: a half statement would show as a
 *                 group whose rows differ
 *   n % 4 = 3     inserts three rows of its own into pairs (composite key), or deletes the kv rows of statement n - 19
 */
export const tinyTree = { memtableBytesMax: 48 * 1024, logSegmentBytes: 64 * 1024, rowGroupBytes: 2 * 1024, tableFileBytes: 16 * 1024, level1Bytes: 32 * 1024 }

export const groupSize = 8
export const padding = 'x'.repeat(100)

export const ownRows = (n) => Array.from({ length: 5 }, (_, i) => [`own-${n}-${i}`, `${n}-${i}-${padding}`])
export const groupOf = (n) => (n >> 2) % 4
export const groupKeys = (group) => Array.from({ length: groupSize }, (_, i) => `group-${group}-${i}`)
export const pairRows = (n) => Array.from({ length: 3 }, (_, i) => [n * 10 + i, `pair-${n % 7}-${i}`, n])

/** What statement n does, in words that both sides can act on. */
export function kindOf(n) {
  if (n % 4 < 2) return 'insert'
  if (n % 4 === 2) return 'group'
  return n % 8 === 3 && n > 24 ? 'delete' : 'pairs'
}

/** The statement whose rows statement n (of kind 'delete') removes. */
export const deletedBy = (n) => n - 19

/** SQL text and parameters. */
export function statementOf(n) {
  switch (kindOf(n)) {
    case 'insert':
      return insertKv(ownRows(n))
    case 'group':
      return insertKv(groupKeys(groupOf(n)).map((key) => [key, String(n)]))
    case 'delete':
      return [`DELETE FROM kv WHERE key IN (${ownRows(deletedBy(n)).map((_, i) => `$${i + 1}`).join(', ')})`, ownRows(deletedBy(n)).map(([key]) => key)]
    case 'pairs':
      return [`INSERT INTO pairs VALUES ${pairRows(n).map((_, i) => `($${3 * i + 1}, $${3 * i + 2}, $${3 * i + 3})`).join(', ')}`, pairRows(n).flat()]
    default:
      throw new Error(`no such statement: ${n}`)
  }
}

const insertKv = (rows) => [`INSERT INTO kv VALUES ${rows.map((_, i) => `($${2 * i + 1}, $${2 * i + 2})`).join(', ')}`, rows.flat()]
