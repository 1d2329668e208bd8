/**
 * Golden scripts: blocks of a statement, a line `----` and what it answers; blocks are separated by blank lines, lines
 * that begin with # are comments. `LSMT_UPDATE_GOLDEN=1` rewrites the answers, to be reviewed as a diff.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import type { UserValue } from '../../src/engine/user-value.ts'
import { typeName } from '../../src/engine/schema.ts'
import { LsmtError } from '../../src/errors.ts'
import type { Sql } from '../../src/sql/sql.ts'
import type { CollectedResult } from '../../src/sql/result.ts'

export interface Block {
  readonly comment: string
  readonly statement: string
  readonly answer: string
}

export function readScript(path: string): readonly Block[] {
  return readFileSync(path, 'utf8').split(/\n\n+/).filter((block) => block.trim() !== '').map((block) => {
    const lines = block.split('\n').filter((line) => line !== '')
    const comment = lines.filter((line) => line.startsWith('#')).join('\n')
    const rest = lines.filter((line) => !line.startsWith('#'))
    const rule = rest.indexOf('----')
    return { comment, statement: rest.slice(0, rule < 0 ? undefined : rule).join('\n'), answer: rule < 0 ? '' : rest.slice(rule + 1).join('\n') }
  })
}

export function writeScript(path: string, blocks: readonly Block[]): void {
  const texts = blocks.map(({ comment, statement, answer }) => [comment, statement, ...(statement === '' ? [] : ['----', answer])].filter((line) => line !== '').join('\n'))
  writeFileSync(path, `${texts.join('\n\n')}\n`)
}

/** Runs all blocks in order and gives each with its answer. */
export async function runScript(sql: Pick<Sql, 'query'>, blocks: readonly Block[]): Promise<readonly Block[]> {
  const answered: Block[] = []
  for (const block of blocks) answered.push(block.statement === '' ? block : { ...block, answer: await answerOf(sql, block.statement) })
  return answered
}

export async function answerOf(sql: Pick<Sql, 'query'>, statement: string): Promise<string> {
  try {
    return (await sql.query(statement)).map(renderResult).join('\n')
  } catch (error) {
    if (!(error instanceof LsmtError)) throw error
    const { position, hint } = error.evidence
    // Which of several keys a duplicate is reported for is the engine's choice.
    const message = error.code === '23505' ? error.message.replace(/: \(.*/, '') : error.message
    return `error ${error.code}${position === undefined ? '' : ` at ${position}`}: ${message}${hint === undefined ? '' : `\nhint: ${hint}`}`
  }
}

/** Rows whose order nobody asked for may come in any, once some of them were spilled. */
export function unordered({ comment, statement, answer }: Block): Block {
  return { comment, statement, answer: /ORDER BY/i.test(statement) ? answer : answer.split('\n').toSorted().join('\n') }
}

function renderResult(result: CollectedResult): string {
  if (result.kind === 'schema' || result.kind === 'transaction') return 'ok'
  if (result.kind === 'write' && result.columns.length === 0) return `${result.rowCount} written`
  if (result.columns[0]?.name === 'QUERY PLAN') return renderPlan(result)
  const header = result.columns.map(({ name, type }) => `${name} ${typeName(type)}`).join(' | ')
  return [header, ...result.rows.map((row) => row.map(renderValue).join(' | ')), result.kind === 'write' ? `${result.rowCount} written` : `(${result.rowCount} rows)`].join('\n')
}

/** What differs from run to run and from engine to engine is left out of plans that were run. */
function masked(line: string): string {
  return line
    .replace(/time=[\d.]+ ms/, 'time=# ms')
    .replace(/^( *)Row Groups: .*$/, '$1Row Groups: #')
    .replace(/^( *)Bytes Read: .*$/, '$1Bytes Read: #')
    .replace(/^Execution Time: .*$/, 'Execution Time: #')
    .replace(/"(Actual Time|Execution Time|Row Groups \w+|Bytes Read|Storage Requests|Memory Bytes|Spilled Bytes)": [\d.]+/g, '"$1": #')
}

function renderPlan({ rows }: CollectedResult): string {
  const lines = rows.map(([line]) => String(line)).filter((line) => !/^ *(Memory|Spilled): /.test(line))
  return ['QUERY PLAN', ...lines.map(masked)].join('\n')
}

function renderValue(value: UserValue): string {
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
