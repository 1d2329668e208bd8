/** Completion by Tab: words of SQL, tables, and the columns of tables; commands of the shell at the start of a line. */
import { queryText } from '../target/connection.ts'
import type { Connection } from '../target/connection.ts'
import { quotedName } from '../quoted-name.ts'

const words = [
  'ALTER TABLE', 'AND', 'AS', 'ASC', 'AVG', 'BEGIN', 'BETWEEN', 'BIGINT', 'BOOLEAN', 'BY', 'BYTEA', 'CASE', 'CAST', 'COALESCE', 'COMMIT', 'COUNT', 'CREATE TABLE', 'CROSS JOIN', 'DATE', 'DEFAULT', 'DELETE FROM', 'DESC', 'DISTINCT',
  'DOUBLE PRECISION', 'DROP TABLE', 'ELSE', 'END', 'EXCEPT', 'EXISTS', 'EXPLAIN', 'EXPLAIN ANALYZE', 'FALSE', 'FROM', 'FULL JOIN', 'GROUP BY', 'HAVING', 'IN', 'INNER JOIN', 'INSERT INTO', 'INTEGER', 'INTERSECT', 'IS NOT NULL', 'IS NULL',
  'JOIN', 'LEFT JOIN', 'LIKE', 'LIMIT', 'MAX', 'MIN', 'NOT', 'NOT NULL', 'NULL', 'NULLS FIRST', 'NULLS LAST', 'NUMERIC', 'OFFSET', 'ON', 'ON CONFLICT', 'OR', 'ORDER BY', 'PRIMARY KEY', 'RETURNING', 'RIGHT JOIN', 'ROLLBACK', 'SAVEPOINT',
  'SELECT', 'SET', 'SHOW COLUMNS FROM', 'SHOW CREATE TABLE', 'SHOW TABLES', 'SMALLINT', 'SUM', 'TEXT', 'THEN', 'TIMESTAMP', 'TRUE', 'TRUNCATE', 'UNION', 'UNION ALL', 'UPDATE', 'UPSERT INTO', 'USING', 'VALUES', 'VARCHAR', 'WHEN', 'WHERE', 'WITH',
]
const commands = ['\\d', '\\format', '\\q', '\\timing', '\\?']

export interface Completer {
  /** What the end of a line may become, and the part of the line that it stands for. */
  complete(line: string): [string[], string]
  /** Looks up tables and columns anew; what cannot be looked up completes nothing. */
  refresh(): Promise<void>
}

export function createCompleter(connection: Connection): Completer {
  let names: readonly string[] = []
  return {
    complete(line) {
      if (/^\s*\\\S*$/.test(line)) return matching(commands, line.trimStart())
      const part = /[\p{L}\p{N}_$"]*$/u.exec(line)![0]
      return matching([...names, ...(part === part.toLowerCase() && part !== '' ? words.map((word) => word.toLowerCase()) : words)], part)
    },
    async refresh() {
      names = await namesOf(connection).catch(() => [])
    },
  }
}

function matching(candidates: readonly string[], part: string): [string[], string] {
  return [candidates.filter((candidate) => candidate.toLowerCase().startsWith(part.toLowerCase())), part]
}

/** Tables whose columns are looked up; of more tables the names alone. */
const describedMax = 100

async function namesOf(connection: Connection): Promise<readonly string[]> {
  const tables = await firstColumn(connection, 'SHOW TABLES')
  const columns: string[] = []
  for (const table of tables.slice(0, describedMax)) columns.push(...(await firstColumn(connection, `SHOW COLUMNS FROM ${quotedName(table)}`)))
  return [...new Set([...tables, ...columns])].map((name) => (/^[a-z_][a-z0-9_$]*$/.test(name) ? name : quotedName(name))).sort()
}

async function firstColumn(connection: Connection, sql: string): Promise<readonly string[]> {
  const { rows } = JSON.parse(await queryText(connection, sql, 'json')) as { readonly rows: readonly (readonly string[])[] }
  return rows.map((row) => row[0]!)
}
