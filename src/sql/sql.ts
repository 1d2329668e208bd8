/**
 * SQL over an engine. A text is scanned into statements of a shape; the plan of a shape is made once per version of
 * the catalog (parse, bind) and cached; running it needs neither parser nor names.
 */
import { isWellFormed, notUnicode } from '../engine/check-value.ts'
import type { Engine } from '../engine/engine.ts'
import { againWhenChanged } from '../engine/tables/again-when-changed.ts'
import { userRowOf } from '../engine/user-value.ts'
import type { UserValue } from '../engine/user-value.ts'
import { LsmtError } from '../errors.ts'
import { systemClock } from '../runtime/clock.ts'
import type { Clock } from '../runtime/clock.ts'
import { defaultDatabaseSettings } from '../settings.ts'
import type { DatabaseSettings } from '../settings.ts'
import type { CancelSignal } from './cancel.ts'
import { bindStatement } from './bind/bind.ts'
import { executePlan } from './execute/execute.ts'
import { createLiterals, literalSignature } from './expression/literal.ts'
import type { QueryLimits } from './operator/query-run.ts'
import { createMemoryPool } from './operator/spill/query-memory.ts'
import { parseStatement } from './parse.ts'
import type { Plan } from './plan.ts'
import { areRowsHere } from './result.ts'
import type { CollectedResult, RowsResult, StatementResult } from './result.ts'
import { createGenerationCache } from './shape-cache.ts'
import { scanStatements } from './scan/shape.ts'
import type { ScannedStatement } from './scan/scan-state.ts'
import { slotKind } from './slot.ts'
import type { SqlParameters } from './slot.ts'
import type { Values } from './value/values.ts'

export interface SqlSettings extends Pick<DatabaseSettings, 'queryMemoryBytesMax' | 'queriesMemoryBytesMax' | 'querySpillBytesMax'> {
  /** Plans kept; 0 plans every statement anew. */
  readonly planCacheEntriesMax: number
  /** Shapes longer than this are not kept. */
  readonly shapeCharactersMax: number
}

export const defaultSqlSettings: SqlSettings = sqlSettings(defaultDatabaseSettings)

export function sqlSettings({ queryMemoryBytesMax, queriesMemoryBytesMax, querySpillBytesMax }: DatabaseSettings): SqlSettings {
  return { planCacheEntriesMax: 4_096, shapeCharactersMax: 4_096, queryMemoryBytesMax, queriesMemoryBytesMax, querySpillBytesMax }
}

export interface QueryOptions {
  /** Stops the text's statements and their rows with 57014, or with the signal's reason when that is an LsmtError. */
  readonly signal?: CancelSignal
}

/** A text taken apart: how many statements it has is known before the first one runs. */
export interface PreparedText {
  readonly text: string
  readonly statements: readonly ScannedStatement[]
}

export interface Sql {
  /** Takes a text apart. 42601 when a literal or comment does not end, or when there is no statement; 22P02 when it is not Unicode. */
  prepare(text: string): PreparedText
  /** Runs one statement of a text. */
  runStatement(prepared: PreparedText, index: number, parameters?: SqlParameters, options?: QueryOptions): Promise<StatementResult>
  /** Runs the statements of a text in order and stops at the first error; consume each result before asking for the next. */
  run(text: string, parameters?: SqlParameters, options?: QueryOptions): AsyncGenerator<StatementResult>
  /** The same with all rows collected, as users' values. */
  query(text: string, parameters?: SqlParameters, options?: QueryOptions): Promise<readonly CollectedResult[]>
}

/** A plan, or that plans of the shape hold for certain types of the literals in `typed` slots only, and values of those in `compared`. */
interface CachedPlan {
  readonly catalogVersion: number
  readonly plan: Plan | undefined
  readonly typed: ReadonlySet<number>
  readonly compared: ReadonlySet<number>
}

const nothing: ReadonlySet<number> = new Set()

export function createSql(engine: Engine, settings: SqlSettings = defaultSqlSettings, clock: Clock = systemClock): Sql {
  const plans = createGenerationCache<CachedPlan>(settings.planCacheEntriesMax)
  const texts = createGenerationCache<PreparedText>(settings.planCacheEntriesMax)
  const limits: QueryLimits = { memoryBytesMax: settings.queryMemoryBytesMax, spillBytesMax: settings.querySpillBytesMax, pool: createMemoryPool(settings.queriesMemoryBytesMax) }

  function prepare(text: string): PreparedText {
    const known = texts.get(text)
    if (known !== undefined) return known
    if (!isWellFormed(text)) throw notUnicode('the statement', text)
    const prepared = { text, statements: scanStatements(text) }
    if (prepared.statements.length === 0) throw new LsmtError('42601', 'there is no statement in the text')
    if (text.length <= settings.shapeCharactersMax && prepared.statements.every(hasParametersOnly)) texts.set(text, prepared)
    return prepared
  }

  function planOf(values: Values): Plan {
    const { shape } = values.statement
    const known = cachedPlan(shape)
    if (known?.plan !== undefined) return known.plan
    const typed = known === undefined ? undefined : cachedPlan(typedKey(values, known))
    return typed?.plan ?? newPlan(values, known)
  }

  function cachedPlan(key: string): CachedPlan | undefined {
    const known = plans.get(key)
    return known?.catalogVersion === engine.catalogVersion ? known : undefined
  }

  /** Slots that any plan of the shape looked at stay in the key of all. */
  function newPlan(values: Values, before: CachedPlan | undefined): Plan {
    const { shape, tokenStarts } = values.statement
    const { catalogVersion } = engine
    const origin = { text: values.text, tokenStarts }
    const literals = createLiterals(values)
    const plan = withinStack(() => bindStatement(parseStatement(shape, origin), engine, origin, literals))
    if (shape.length > settings.shapeCharactersMax || !isRepeatable(plan)) return plan
    const isTyped = literals.typed.size > 0 || literals.compared.size > 0
    const looked = { catalogVersion, typed: union(before?.typed, literals.typed), compared: union(before?.compared, literals.compared) }
    plans.set(shape, { ...looked, plan: isTyped ? undefined : plan })
    if (isTyped) plans.set(typedKey(values, looked), { ...looked, plan })
    return plan
  }

  async function runStatement(prepared: PreparedText, index: number, parameters?: SqlParameters, options?: QueryOptions): Promise<StatementResult> {
    const statement = prepared.statements[index]!
    const values = { text: prepared.text, statement, parameters }
    return await againWhenChanged(engine, () => executePlan(engine, planOf(values), { values, signal: options?.signal, clock, limits }))
  }

  async function* run(text: string, parameters?: SqlParameters, options?: QueryOptions): AsyncGenerator<StatementResult> {
    const prepared = prepare(text)
    for (let index = 0; index < prepared.statements.length; index++) yield await runStatement(prepared, index, parameters, options)
  }

  async function query(text: string, parameters?: SqlParameters, options?: QueryOptions): Promise<readonly CollectedResult[]> {
    const prepared = prepare(text)
    const results: CollectedResult[] = []
    for (let index = 0; index < prepared.statements.length; index++) results.push(await collect(await runStatement(prepared, index, parameters, options)))
    return results
  }

  return { prepare, runStatement, run, query }
}

/** Reading and binding recurse along a statement. 54000 when it nests in more ways at once than the limits of each allow. */
function withinStack<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw error instanceof RangeError ? new LsmtError('54000', 'the statement nests too deeply', {}, error) : error
  }
}

function typedKey(values: Values, { typed, compared }: Pick<CachedPlan, 'typed' | 'compared'>): string {
  return `${values.statement.shape}\0${literalSignature(values, typed, compared)}`
}

function union(before: ReadonlySet<number> = nothing, more: ReadonlySet<number>): ReadonlySet<number> {
  return before.size === 0 ? more : new Set([...before, ...more])
}

/** Texts with literals rarely come twice; they are cheap to scan and would only push others out. */
function hasParametersOnly({ slots }: ScannedStatement): boolean {
  return slots.kinds.every((kind) => kind === slotKind.parameter || kind === slotKind.namedParameter)
}

function isRepeatable(plan: Plan): boolean {
  return plan.kind !== 'createTable' && plan.kind !== 'dropTable' && plan.kind !== 'alterTable' && plan.kind !== 'show'
}

async function collect(result: StatementResult): Promise<CollectedResult> {
  if (result.kind === 'schema') return { kind: 'schema', columns: [], rows: [], rowCount: 0 }
  const rows = await collectRows(result)
  return { kind: result.kind, columns: result.columns, rows, rowCount: result.kind === 'write' ? result.rowCount : rows.length }
}

async function collectRows({ columns, rows }: Pick<RowsResult, 'columns' | 'rows'>): Promise<(readonly UserValue[])[]> {
  const userRow = userRowOf(columns.map(({ type }) => type))
  const collected: (readonly UserValue[])[] = []
  const batches = areRowsHere(rows) ? [rows] : rows
  for await (const batch of batches) {
    for (const row of batch) collected.push(userRow(row))
  }
  return collected
}
