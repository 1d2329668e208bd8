/** Writers and readers of registers and counters over an engine whose storage fails now and then. */
import type { Engine, EngineRow } from '../../../src/engine/engine.ts'
import type { TableSchema } from '../../../src/engine/schema.ts'
import { LsmtError } from '../../../src/errors.ts'
import type { Random } from '../../../src/runtime/random.ts'
import { newTable, scanAll } from '../engine-fixtures.ts'
import { createRegisters } from './registers.ts'
import type { Register, Registers, Seen, Statement } from './registers.ts'

/** Of one writer: its rows lie in several shards. */
interface OwnRegister {
  readonly register: Register
  readonly keys: readonly string[]
}

/** A row that all writers count up by compare-and-set. */
interface Counter {
  readonly key: string
  /** What was counted up from, by whom was told so. */
  readonly counted: Set<number>
  unknown: number
  underWay: number
  /** At least so much is there. */
  least: number
}

export interface Work {
  readonly registers: Registers
  readonly owned: readonly OwnRegister[]
  readonly counters: readonly Counter[]
  readonly random: Random
  /** How statements ended, by code. */
  readonly outcomes: Map<string, number>
  /** What must never be. */
  readonly problems: string[]
}

const table = newTable('registers', { key: 'text', number: 'bigint', filler: 'text' }, ['key'])
export const registersOf = (engine: Engine): TableSchema => engine.table(table.name)!

export async function startWork(engine: Engine, random: Random, writers: number): Promise<Work> {
  const registers = createRegisters()
  const owned = Array.from({ length: writers }, (_, writer) => [1, 4].map((width) => ({ register: registers.create(`${writer}x${width}`), keys: Array.from({ length: width }, (__, i) => `${writer}x${width}/${i}`) }))).flat()
  const counters = ['a', 'b', 'c'].map((key): Counter => ({ key, counted: new Set(), unknown: 0, underWay: 0, least: 0 }))
  await engine.createTable(table)
  await engine.insert(registersOf(engine), counters.map(({ key }) => [key, 0, null]), 'insert')
  return { registers, owned, counters, random, outcomes: new Map(), problems: [] }
}

/** What a statement came to: its answer, or whether it was refused. */
async function outcomeOf<T>(work: Work, statement: () => Promise<T>): Promise<{ readonly answer: T } | 'unknown' | 'refused'> {
  const count = (code: string): void => void work.outcomes.set(code, (work.outcomes.get(code) ?? 0) + 1)
  try {
    const answer = await statement()
    count('done')
    return { answer }
  } catch (error) {
    if (!(error instanceof LsmtError) || error.code === 'XX000' || error.code === 'XX001') work.problems.push(`not a clean error: ${error instanceof Error ? error.stack : String(error)}`)
    const code = error instanceof LsmtError ? error.code : 'none'
    count(code)
    return code === '40003' ? 'unknown' : 'refused'
  }
}

/** Statements of one writer, until `isOver`. */
export async function write(work: Work, engine: Engine, writer: number, isOver: () => boolean): Promise<void> {
  const own = work.owned.slice(2 * writer, 2 * writer + 2)
  while (!isOver()) {
    const kind = work.random.below(12)
    const each = own[work.random.below(2)]!
    if (kind === 0) await countUp(work, engine, work.counters[work.random.below(work.counters.length)]!)
    else if (kind === 1) await readOwn(work, engine, each)
    else if (kind < 5) await updateOwn(work, engine, each)
    else await writeOwn(work, engine, each, kind)
    // A client whose statement failed does not ask again at once.
    await new Promise((resolve) => setTimeout(resolve, 1 + work.random.below(4)))
  }
}

function rowsOf({ random }: Work, { keys }: OwnRegister, number: number): readonly EngineRow[] {
  return keys.map((key) => [key, number, 'x'.repeat(random.below(400))])
}

async function writeOwn(work: Work, engine: Engine, own: OwnRegister, kind: number): Promise<void> {
  const of = registersOf(engine)
  const statement = work.registers.begin(own.register, kind === 5 ? 'delete' : 'write')
  const rows = rowsOf(work, own, statement.number)
  const outcome = await outcomeOf<unknown>(work, () => {
    if (kind === 5) return engine.write(of, own.keys.map((key) => ({ delete: [key] })))
    return kind === 6 ? inTransaction(engine, rows) : engine.insert(of, rows, 'upsert')
  })
  settle(work, own, statement, outcome)
}

async function inTransaction(engine: Engine, rows: readonly EngineRow[]): Promise<void> {
  const of = registersOf(engine)
  const transaction = await engine.begin(() => [of])
  try {
    for (const row of rows) await transaction.insert(of, [row], 'upsert')
    await transaction.commit()
  } finally {
    transaction.rollback()
  }
}

/** Changes the rows if they are there. */
async function updateOwn(work: Work, engine: Engine, own: OwnRegister): Promise<void> {
  const startMoment = work.registers.now()
  const statement = work.registers.begin(own.register, 'write')
  const outcome = await outcomeOf(work, () => engine.update(registersOf(engine), own.keys.map((key) => [key]), ([key, , filler]) => [key!, statement.number, filler!]))
  if (typeof outcome === 'string' || outcome.answer === own.keys.length) return settle(work, own, statement, outcome)
  if (outcome.answer !== 0) work.problems.push(`${outcome.answer} of ${own.keys.length} rows of ${own.register.name} were there`)
  work.registers.refused(own.register, statement)
  work.registers.seen(own.register, undefined, startMoment)
}

function settle({ registers }: Work, { register }: OwnRegister, statement: Statement, outcome: object | 'unknown' | 'refused'): void {
  if (outcome === 'refused') registers.refused(register, statement)
  else if (outcome !== 'unknown') registers.acknowledged(register, statement)
}

async function readOwn(work: Work, engine: Engine, own: OwnRegister): Promise<void> {
  const startMoment = work.registers.now()
  const outcome = await outcomeOf(work, async () => engine.get(undefined, registersOf(engine), [own.keys[0]!], [1]))
  if (typeof outcome === 'object') work.registers.seen(own.register, outcome.answer?.[0] as Seen, startMoment)
}

async function countUp(work: Work, engine: Engine, counter: Counter): Promise<void> {
  const read = await outcomeOf(work, async () => engine.get(undefined, registersOf(engine), [counter.key], [1]))
  if (typeof read !== 'object') return
  const from = Number(read.answer![0])
  counter.underWay++
  const outcome = await outcomeOf(work, () => engine.update(registersOf(engine), [[counter.key]], ([key, number, filler]) => (Number(number) === from ? [key!, from + 1, filler!] : 'keep')))
  counter.underWay--
  if (outcome === 'unknown') counter.unknown++
  if (typeof outcome === 'string' || outcome.answer === 0) return
  if (counter.counted.has(from)) work.problems.push(`counter ${counter.key} was counted up from ${from} twice`)
  counter.counted.add(from)
  counter.least = Math.max(counter.least, from + 1)
}

/** One look at everything, in one snapshot. */
export async function readEverything(work: Work, engine: Engine): Promise<void> {
  const startMoment = work.registers.now()
  const leasts = work.counters.map(({ least }) => least)
  const outcome = await outcomeOf(work, () => scanAll(engine, registersOf(engine), { columns: [0, 1] }))
  if (typeof outcome === 'string') return
  const found = new Map(outcome.answer.map(([key, number]) => [key as string, Number(number)]))
  for (const own of work.owned) work.registers.seen(own.register, numberIn(work, found, own), startMoment)
  for (const [i, counter] of work.counters.entries()) checkCounter(work, counter, found.get(counter.key), leasts[i]!)
}

/** What a new writer finds, when no statement is under way. */
export async function decideEverything(work: Work, engine: Engine): Promise<void> {
  const found = new Map((await scanAll(engine, registersOf(engine), { columns: [0, 1] })).map(([key, number]) => [key as string, Number(number)]))
  for (const own of work.owned) work.registers.decided(own.register, numberIn(work, found, own))
  for (const counter of work.counters) {
    checkCounter(work, counter, found.get(counter.key), counter.least)
    counter.unknown = (found.get(counter.key) ?? 0) - counter.counted.size
  }
}

function numberIn({ problems }: Work, found: ReadonlyMap<string, number>, { register, keys }: OwnRegister): Seen {
  const numbers = keys.map((key) => found.get(key))
  if (new Set(numbers).size > 1) problems.push(`half a statement of ${register.name} was seen: ${numbers.join()}`)
  return numbers[0]
}

function checkCounter({ problems }: Work, counter: Counter, value: number | undefined, least: number): void {
  const most = counter.counted.size + counter.unknown + counter.underWay
  if (value === undefined || value < least || value > most) problems.push(`counter ${counter.key} was seen as ${value}; possible: ${least} to ${most}`)
  counter.least = Math.max(counter.least, value ?? 0)
}
