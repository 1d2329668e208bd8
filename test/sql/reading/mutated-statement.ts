/** Broken SQL made of good SQL: the statements of the golden scripts, with parts of them moved, lost, doubled and nested; and random bytes. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from '../../../src/runtime/random.ts'
import { readScript } from '../script.ts'

const folder = join(import.meta.dirname, '../scripts')

/** All statements of the golden scripts. */
export function goldenStatements(): readonly string[] {
  return readdirSync(folder).filter((name) => name.endsWith('.sql.txt')).flatMap((name) => readScript(join(folder, name)).map(({ statement }) => statement).filter((statement) => statement !== '' && statement.length < 2_000))
}

const odd = ["'", '"', '$$', '$1', '?', ':x', '::', '--', '/*', '*/', ';', '.', '..', '[', ']', '\\', '\u0000', '😀', '\ud800', 'é', '\u00a0', '1e999', '9223372036854775808', "E'\\", "x'0", 'n1', 'x0', 'call', '"x0"', '$2']
const clauses = ['NULL', 'AND', 'OR', 'NOT', 'SELECT', 'FROM', 'WHERE', 'VALUES', 'IN (', 'AS', 'ORDER BY', 'LIMIT', 'GROUP BY', 'JOIN', 'LEFT JOIN', 'ON', 'USING (', 'CASE', 'WHEN', 'THEN', 'ELSE', 'END', 'DISTINCT', '*', 'BETWEEN', 'LIKE', 'ESCAPE', 'IS', 'IS NOT NULL', 'UNION ALL', 'EXCEPT',
  'WITH x AS (', 'EXISTS (', 'CAST (', 'EXTRACT (', 'TRIM (', 'POSITION (', 'SUBSTRING (', 'FOR', 'OFFSET', 'FETCH FIRST', 'ROWS ONLY', 'RETURNING', 'SET', 'DEFAULT', 'ON CONFLICT', 'INSERT INTO', 'UPDATE', 'DELETE FROM', 'HAVING', 'NULLS LAST', 'DESC', 'interval', 'date', 'int', 'numeric(', 'OVER ()', 'FILTER (', 'ANY (', 'ROW (', 'ARRAY [']

export type Mutate = (random: Random) => string

export function mutations(statements: readonly string[]): Mutate {
  const tokenLists = statements.map((statement) => statement.match(/\w+|'[^']*'|"[^"]*"|\s+|[<>=!|:]+|./gs) ?? [])
  const pick = <T>(random: Random, items: readonly T[]): T => items[random.below(items.length)]!

  function stretch(random: Random, tokens: readonly string[]): readonly [number, number] {
    const from = random.below(tokens.length + 1)
    return [from, Math.min(tokens.length, from + random.below(8))]
  }

  function mutateOnce(random: Random, tokens: string[]): void {
    const [from, to] = stretch(random, tokens)
    switch (random.below(8)) {
      case 0:
        tokens.splice(from, to - from)
        break
      case 1:
        tokens.splice(from, 0, ...tokens.slice(from, to))
        break
      case 2: {
        const other = pick(random, tokenLists)
        const [start, end] = stretch(random, other)
        tokens.splice(from, random.below(2) * (to - from), ...other.slice(start, end))
        break
      }
      case 3: {
        const times = random.below(20) === 0 ? 1 + random.below(700) : 1 + random.below(4)
        const [open, close] = pick(random, [['(', ')'], ['(SELECT ', ')'], ['NOT ', ''], ['- ', ''], ['CASE WHEN true THEN ', ' END'], ['abs(', ')'], ['CAST(', ' AS int)'], ['(1 + ', ')']] as const)
        tokens.splice(from, to - from, open.repeat(times), ...tokens.slice(from, to), close.repeat(times))
        break
      }
      case 4:
        tokens.splice(from, 0, ' ', pick(random, clauses), ' ')
        break
      case 5:
        tokens.splice(from, random.below(2), pick(random, odd))
        break
      case 6:
        tokens.splice(from, 0, ...tokens.slice(from, to).toReversed())
        break
      default:
        tokens.length = from
    }
  }

  return (random) => {
    if (random.below(10) === 0) return randomBytes(random)
    const tokens = [...pick(random, tokenLists)]
    for (let count = 1 + random.below(1 + random.below(4)); count > 0; count--) mutateOnce(random, tokens)
    return tokens.join('')
  }
}

/** Bytes taken for UTF-8 or for Latin-1, most of them printable. */
function randomBytes(random: Random): string {
  const bytes = Uint8Array.from({ length: random.below(60) }, () => (random.below(3) === 0 ? random.below(256) : 0x20 + random.below(95)))
  return Buffer.from(bytes).toString(random.below(2) === 0 ? 'latin1' : 'utf8')
}
