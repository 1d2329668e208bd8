/**
 * One seed's world: tables with rows, queries over them in every state of the engine (memtables, files, compacted
 * files), and writes in between, in SQLite and in two databases of opposite makes, or in others that are given.
 */
import { LsmtError } from '../../../src/errors.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'
import { randomAlteration } from './alter.ts'
import { difference, referenceRows, writeDifference } from './compare-answers.ts'
import { openDatabase, oppositeMakes } from './databases.ts'
import type { Database } from './databases.ts'
import type { Text } from './dialect.ts'
import type { Generator } from './expression.ts'
import type { Features } from './features.ts'
import { randomQuery } from './query.ts'
import type { RandomQuery } from './query.ts'
import { randomGroupedRead } from './grouped.ts'
import { withParameters } from './parameters.ts'
import type { Parametrized } from './parameters.ts'
import { openReference } from './reference.ts'
import type { Reference } from './reference.ts'
import { randomTransaction } from './transaction.ts'
import { chance, createTable, insertRows, pick, randomTable } from './schema.ts'
import type { Table } from './schema.ts'
import { randomWrite } from './write.ts'

export interface WorldResult {
  readonly queryCount: number
  /** Each with everything needed to see it again. */
  readonly failures: readonly string[]
}

const queriesPerState = 14
const groupedReadsPerState = 5
const writesPerState = 6

interface World {
  readonly generator: Generator
  readonly reference: Reference
  readonly databases: readonly Database[]
  readonly failures: string[]
}

/** The databases are empty when they are opened, and closed in the end. */
export async function runWorld(seed: number, features: Features, open: (random: Random) => Promise<readonly Database[]> = openOpposite): Promise<WorldResult> {
  const random = seededRandom(seed)
  const tables = Array.from({ length: 1 + random.below(3) }, (_, i) => randomTable(random, `t${i}`, pick(random, [0, 1, 6, 40, 40, 250])))
  const databases = await open(random)
  const world: World = { generator: { random, features, tables, alias: 0 }, reference: await openReference(), databases, failures: [] }
  let queryCount = 0
  try {
    for (const table of tables) await fill(world, table)
    for (const enter of states) {
      await enter(world)
      // Once a write went another way, all answers do.
      if (world.failures.length > 0) break
      for (let i = 0; i < queriesPerState; i++, queryCount++) await compareQuery(world, randomQuery(world.generator))
      for (let i = 0; i < groupedReadsPerState; i++, queryCount++) await compareGrouped(world)
    }
  } finally {
    world.reference.close()
    for (const database of databases) await database.close()
  }
  return { queryCount, failures: world.failures.map((failure) => `LSMT_SEED=${seed}\n${failure}`) }
}

const openOpposite = (random: Random): Promise<readonly Database[]> => Promise.all(oppositeMakes(random).map(openDatabase))

const states: readonly ((world: World) => Promise<void>)[] = [
  async () => {},
  async (world) => {
    await everyDatabase(world, 'flush')
    await writeSome(world)
  },
  async (world) => {
    await alterSome(world)
    await everyDatabase(world, 'compact')
  },
  async (world) => {
    await writeSome(world)
    await everyDatabase(world, 'flush')
    await alterSome(world)
    await writeSome(world)
  },
]

async function everyDatabase({ databases }: World, step: 'flush' | 'compact'): Promise<void> {
  for (const database of databases) await database[step]()
}

const insertBatch = 60

async function fill(world: World, table: Table): Promise<void> {
  await compareWrite(world, createTable(table))
  for (let from = 0; from < table.rows.length; from += insertBatch) await compareWrite(world, insertRows(table, table.rows.slice(from, from + insertBatch)))
}

async function writeSome(world: World): Promise<void> {
  for (let i = 0; i < writesPerState && world.failures.length === 0; i++) {
    if (chance(world.generator.random, 35)) await compareTransaction(world)
    else await compareWrite(world, randomWrite(world.generator))
  }
  for (const { name } of world.generator.tables) {
    const text = `SELECT * FROM ${name}`
    await compareQuery(world, { text: { lsmt: text, sqlite: text }, order: undefined })
  }
}

async function alterSome({ generator, ...world }: World): Promise<void> {
  for (const table of generator.tables) {
    const alteration = chance(generator.random, 50) ? randomAlteration(generator.random, generator.features, table) : undefined
    if (alteration === undefined) continue
    await compareWrite({ generator, ...world }, alteration.text)
    generator.tables = generator.tables.map((each) => (each === table ? alteration.table : each))
  }
}

function fail(world: World, text: Text, description: string, what: string): void {
  const tables = world.generator.tables.map((table) => createTable(table).lsmt).join('; ')
  world.failures.push(`${description}\n  tables: ${tables}\n  lsmt:   ${text.lsmt}\n  SQLite: ${text.sqlite}\n  ${what}`)
}

async function compareQuery(world: World, { text, order }: RandomQuery): Promise<void> {
  const expected = world.reference.rows(text.sqlite)
  for (const { description, cachesPlans, sql } of world.databases) {
    const asParameters = withParameters(text.lsmt)
    // With a cache a second run takes the plan that the first one left; values may come as parameters too.
    const runs: readonly Parametrized[] = [{ text: text.lsmt, parameters: [] }, ...(cachesPlans && chance(world.generator.random, 20) ? [{ text: text.lsmt, parameters: [] }] : []), ...(chance(world.generator.random, 25) ? [asParameters] : [])]
    for (const run of runs) {
      try {
        const results = await sql.query(run.text, run.parameters)
        const wrong = difference(referenceRows(results[0]!), expected, order)
        if (wrong === undefined) continue
        fail(world, text, description, describeRun(run) + wrong)
      } catch (error) {
        fail(world, text, description, describeRun(run) + describeError(error))
      }
      break
    }
  }
}

async function compareGrouped(world: World): Promise<void> {
  const { random, tables } = world.generator
  const read = randomGroupedRead(random, pick(random, tables))
  const expected = world.reference.rows(read.text.sqlite)
  for (const { description, engine } of world.databases) {
    try {
      const wrong = difference(await read.run(engine), expected, undefined)
      if (wrong !== undefined) fail(world, read.text, `groupedAggregate, ${description}`, wrong)
    } catch (error) {
      fail(world, read.text, `groupedAggregate, ${description}`, describeError(error))
    }
  }
}

/** What a constraint refuses here is refused there. */
const refusals: readonly string[] = ['23505', '23502']

async function compareWrite(world: World, text: Text): Promise<void> {
  const expected = world.reference.write(text.sqlite)
  const isWrite = /^(INSERT|UPDATE|DELETE)/.test(text.lsmt)
  const run: Parametrized = isWrite && chance(world.generator.random, 25) ? withParameters(text.lsmt) : { text: text.lsmt, parameters: [] }
  for (const { description, sql } of world.databases) {
    try {
      const [result] = await sql.query(run.text, run.parameters)
      const wrong = expected === undefined ? 'SQLite refused it by a constraint, lsmt did not' : isWrite ? writeDifference(result!, expected) : undefined
      if (wrong !== undefined) fail(world, text, description, describeRun(run) + wrong)
    } catch (error) {
      const isRefusal = error instanceof LsmtError && refusals.includes(error.code)
      if (!isRefusal || expected !== undefined) fail(world, text, description, describeRun(run) + describeError(error))
    }
  }
}

async function compareTransaction(world: World): Promise<void> {
  const { text, difference: differenceOf } = randomTransaction(world.generator, world.reference)
  for (const { description, sql } of world.databases) {
    const results = await sql.query(text.lsmt).catch((error: unknown) => {
      if (error instanceof LsmtError) return error
      throw error
    })
    const wrong = differenceOf(results)
    if (wrong !== undefined) fail(world, text, description, wrong)
  }
}

const describeRun = ({ text, parameters }: Parametrized): string => (parameters.length === 0 ? '' : `sent as ${text} with ${parameters.map((value) => (typeof value === 'string' ? JSON.stringify(value) : String(value))).join(', ')}\n  `)
const describeError = (error: unknown): string => (error instanceof LsmtError ? `${error.code} ${error.message}` : error instanceof Error ? (error.stack ?? error.message) : String(error))
