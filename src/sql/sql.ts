/**
 * SQL over an engine. A text is scanned into statements of a shape; the plan of a shape is made once per version of
 * the catalog (parse, bind) and cached; running it needs neither parser nor names.
 */
import { isWellFormed, notUnicode } from '../engine/check-value.ts'
import type { Engine, EngineCatalog } from '../engine/engine.ts'
import { LsmtError } from '../errors.ts'
import { systemClock } from '../runtime/clock.ts'
import type { Clock } from '../runtime/clock.ts'
import { defaultDatabaseSettings } from '../settings.ts'
import type { DatabaseSettings } from '../settings.ts'
import type { CancelSignal } from './cancel.ts'
import { bindStatement } from './bind/bind.ts'
import { asUserRows, collect } from './collect.ts'
import type { RowsAs } from './collect.ts'
import type { StatementCounts } from './execute/execute-select.ts'
import { createLiterals, literalSignature } from './expression/literal.ts'
import type { QueryLimits } from './operator/query-run.ts'
import { createMemoryPool } from './operator/spill/query-memory.ts'
import { originOf } from './origin.ts'
import { parseStatement } from './parse.ts'
import type { Plan } from './plan.ts'
import { checkStorageRequestsMax, RequestBudget } from './request-budget.ts'
import type { Collected, CollectedResult, StatementResult } from './result.ts'
import type { PlanOf } from './run/open-transaction.ts'
import { beginStepwise } from './run/stepwise-transaction.ts'
import type { StepwiseTransaction } from './run/stepwise-transaction.ts'
import { TextRun } from './run/text-run.ts'
import type { TextRunner } from './run/text-run.ts'
import { createGenerationCache } from './shape-cache.ts'
import { scanStatements } from './scan/shape.ts'
import { createSkeletons } from './scan/skeleton.ts'
import { prepareLong } from './scan/supposed-text.ts'
import type { PreparedText } from './scan/supposed-text.ts'
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
  /** False refuses statements that write (42501); true by default. */
  readonly mayWrite?: boolean
  /** At most one statement of the text may give rows: 0A000, before anything runs where that can be told, otherwise before the second one does. */
  readonly oneWithRows?: boolean
  /**
   * Makes writes safe to repeat: a text that comes again with the same key has the same answer, and what was written is not
   * written again, across restarts as well. 22023 when the key was used for another text or other parameters.
   */
  readonly idempotencyKey?: string | undefined
  /** Requests to storage that the queries of the text may make together, none by default; 54000 before one more is made; one that a cache on disk answers counts too. 22023 unless a whole number from 0 on. */
  readonly maxStorageRequests?: number | undefined
}

const budgetOf = (options: QueryOptions | undefined): RequestBudget | undefined =>
  options?.maxStorageRequests === undefined ? undefined : new RequestBudget(checkStorageRequestsMax(options.maxStorageRequests))

export interface Sql {
  /** Takes a text apart. 42601 when a literal or comment does not end (of an INSERT of many tuples that may be told when it runs), or when there is no statement; 22021 when it is not Unicode. */
  prepare(text: string): PreparedText
  /** Starts to run the statements of a text, which the caller asks for one by one; it closes the run in the end. */
  start(prepared: PreparedText, parameters?: SqlParameters, options?: QueryOptions): TextRun
  /** Runs the statements of a text in order and stops at the first error; consume each result before asking for the next. */
  run(text: string, parameters?: SqlParameters, options?: QueryOptions): AsyncGenerator<StatementResult>
  /** The same with all rows collected, as users' values. */
  query(text: string, parameters?: SqlParameters, options?: QueryOptions): Promise<readonly CollectedResult[]>
  /** The same with rows of another form. */
  queryAs<Row>(rowsAs: RowsAs<Row>, text: string, parameters?: SqlParameters, options?: QueryOptions): Promise<readonly Collected<Row>[]>
  /** A transaction that writes these tables, of statements that come one by one; the signal stops it. */
  begin(tables: readonly string[], signal: CancelSignal): Promise<StepwiseTransaction>
  readonly stats: SqlStats
  /**
   * The same over another engine: what texts are, memory and counts are shared, and plans among engines of one catalog,
   * which is the engine itself where nothing else is said.
   */
  over(engine: Engine, catalog?: EngineCatalog): Sql
}

export interface SqlStats {
  /** Statements begun so far. */
  readonly statements: Readonly<StatementCounts>
  /** What the queries that run hold in memory beyond pages. */
  readonly queryMemoryBytes: number
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
  const planners = new WeakMap<EngineCatalog, PlanOf>()
  const plannerOf = (catalog: EngineCatalog): PlanOf => {
    const planOf = planners.get(catalog) ?? createPlanner(settings)
    planners.set(catalog, planOf)
    return planOf
  }
  return sqlOver({ prepare: createPreparer(settings), plannerOf, pool: createMemoryPool(settings.queriesMemoryBytesMax), counts: {}, settings, clock }, engine, engine)
}

/** What all that came of one `createSql` share. */
interface SqlFloor {
  readonly prepare: Sql['prepare']
  readonly plannerOf: (catalog: EngineCatalog) => PlanOf
  readonly pool: QueryLimits['pool']
  readonly counts: StatementCounts
  readonly settings: SqlSettings
  readonly clock: Clock
}

function createPreparer(settings: SqlSettings): Sql['prepare'] {
  const skeletons = createSkeletons(settings.planCacheEntriesMax)
  const texts = createGenerationCache<PreparedText>(settings.planCacheEntriesMax)
  return (text) => {
    if (!isWellFormed(text)) throw notUnicode('the statement', text)
    const familiar = skeletons.read(text)
    if (familiar !== undefined) return { text, count: 1, statements: [familiar] }
    const isShort = text.length <= settings.shapeCharactersMax
    // Looking up a long text would hash all of it.
    const known = isShort ? texts.get(text) : undefined
    if (known !== undefined) return known
    const prepared = isShort ? prepareShort(text) : prepareLong(text)
    if (prepared.count === 0) throw new LsmtError('42601', 'there is no statement in the text')
    if (isShort && prepared.statements.every(hasParametersOnly)) texts.set(text, prepared)
    if (isShort && prepared.count === 1) skeletons.learn(text, prepared.statements[0]!)
    return prepared
  }
}

function prepareShort(text: string): PreparedText {
  const statements = scanStatements(text)
  return { text, count: statements.length, statements }
}

function sqlOver(floor: SqlFloor, engine: Engine, catalog: EngineCatalog): Sql {
  const { prepare, clock, settings, pool, counts } = floor
  const limits: QueryLimits = { memoryBytesMax: settings.queryMemoryBytesMax, spillBytesMax: settings.querySpillBytesMax, pool, usdPerRead: engine.usdPerRead ?? 0 }
  const runner: TextRunner = { engine, clock, limits, planOf: floor.plannerOf(catalog), counts, staging: { engine, visible: () => engine } }

  function start(prepared: PreparedText, parameters?: SqlParameters, options?: QueryOptions): TextRun {
    return new TextRun(runner, { prepared, parameters, signal: options?.signal, mayWrite: options?.mayWrite ?? true, oneWithRows: options?.oneWithRows ?? false, idempotencyKey: options?.idempotencyKey, requests: budgetOf(options) })
  }

  async function* run(text: string, parameters?: SqlParameters, options?: QueryOptions): AsyncGenerator<StatementResult> {
    const running = start(prepare(text), parameters, options)
    try {
      for (let result = await running.next(); result !== undefined; result = await running.next()) yield result
    } finally {
      running.close()
    }
  }

  async function queryAs<Row>(rowsAs: RowsAs<Row>, text: string, parameters?: SqlParameters, options?: QueryOptions): Promise<readonly Collected<Row>[]> {
    const running = start(prepare(text), parameters, options)
    const results: Collected<Row>[] = []
    try {
      for (let next = running.next(); next !== undefined; next = running.next()) {
        // What is here already is not waited for: each wait is a turn of the queue of microtasks.
        const collected = collect(next instanceof Promise ? await next : next, rowsAs)
        results.push(collected instanceof Promise ? await collected : collected)
      }
    } finally {
      running.close()
    }
    return results
  }

  return {
    prepare,
    start,
    run,
    query: (text, parameters, options) => queryAs(asUserRows, text, parameters, options),
    queryAs,
    begin: (tables, signal) => beginStepwise(runner, tables, signal),
    get stats() { return { statements: { ...counts }, queryMemoryBytes: pool.usedBytes } },
    over: (other, itsCatalog = other) => sqlOver(floor, other, itsCatalog),
  }
}

/** Plans statements by their shape, each once a version of the catalog. */
function createPlanner(settings: SqlSettings): PlanOf {
  const plans = createGenerationCache<CachedPlan>(settings.planCacheEntriesMax)

  function planOf(values: Values, catalog: EngineCatalog): Plan {
    const { shape } = values.statement
    const known = cachedPlan(shape, catalog)
    if (known?.plan !== undefined) return known.plan
    const typed = known === undefined ? undefined : cachedPlan(typedKey(values, known), catalog)
    return typed?.plan ?? newPlan(values, catalog, known)
  }

  function cachedPlan(key: string, catalog: EngineCatalog): CachedPlan | undefined {
    const known = plans.get(key)
    return known?.catalogVersion === catalog.catalogVersion() ? known : undefined
  }

  /** Slots that any plan of the shape looked at stay in the key of all. */
  function newPlan(values: Values, catalog: EngineCatalog, before: CachedPlan | undefined): Plan {
    const { shape } = values.statement
    const catalogVersion = catalog.catalogVersion()
    const origin = originOf(values)
    const literals = createLiterals(values)
    const plan = withinStack(() => bindStatement(parseStatement(shape, origin), catalog, origin, literals))
    if (shape.length > settings.shapeCharactersMax || !isRepeatable(plan)) return plan
    const isTyped = literals.typed.size > 0 || literals.compared.size > 0
    const looked = { catalogVersion, typed: union(before?.typed, literals.typed), compared: union(before?.compared, literals.compared) }
    plans.set(shape, { ...looked, plan: isTyped ? undefined : plan })
    if (isTyped) plans.set(typedKey(values, looked), { ...looked, plan })
    return plan
  }

  return (values, catalog) => {
    const plan = planOf(values, catalog)
    if (plan.kind === 'transaction' && values.statement.explain !== undefined) throw new LsmtError('0A000', 'EXPLAIN of a transaction statement is not supported')
    return plan
  }
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
