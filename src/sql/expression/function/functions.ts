/** All functions by name. */
import { LsmtError } from '../../../errors.ts'
import type { EngineValue } from '../../../engine/engine.ts'
import { looseCall, strictCall } from '../bound.ts'
import type { Bound } from '../bound.ts'
import type { Literals } from '../literal.ts'
import { coerce } from '../coerce.ts'
import { bindComparison, unified } from '../operator.ts'
import { dateType, textType, timestampType, valueTypeName } from '../type.ts'
import { castOf } from '../value/cast.ts'
import { comparer } from '../value/order.ts'
import { byteFunctions } from './byte-functions.ts'
import { numberFunctions } from './number-functions.ts'
import type { Builder } from './signature.ts'
import { textFunctions } from './text-functions.ts'
import { timeFunctions } from './time-functions.ts'

/** As PostgreSQL names types in answers of pg_typeof. */
const typeNames: Readonly<Record<string, string>> = { double: 'double precision', timestamp: 'timestamp without time zone', numeric: 'numeric' }
const now: Bound = { kind: 'now', type: timestampType }

const otherFunctions: Readonly<Record<string, Builder>> = {
  coalesce: (_, args) => {
    if (args.length === 0) return undefined
    const items = unified(args, 'COALESCE')
    return { kind: 'coalesce', items, type: items[0]!.type }
  },
  nullif: (_, args) => {
    const [a, b] = args
    if (a === undefined || b === undefined || args.length > 2) return undefined
    const equal = bindComparison('=', a, b)
    const kept = a.type.kind === 'unknown' ? coerce(a, b.type) : a
    return { kind: 'case', branches: [{ when: equal, result: { kind: 'constant', value: null, type: kept.type } }], otherwise: kept, type: kept.type }
  },
  greatest: extreme(1),
  least: extreme(-1),
  now: (_, args) => (args.length === 0 ? now : undefined),
  transaction_timestamp: (_, args) => (args.length === 0 ? now : undefined),
  statement_timestamp: (_, args) => (args.length === 0 ? now : undefined),
  current_date: (name, args) => (args.length === 0 ? strictCall(name, [now], dateType, castOf(timestampType, dateType)!) : undefined),
  ...timeFunctions,
  typeof: (name, args) => typeOf(name, args),
  pg_typeof: (name, args) => typeOf(name, args),
}

function typeOf(_: string, args: readonly Bound[]): Bound | undefined {
  const [arg] = args
  if (arg === undefined || args.length !== 1) return undefined
  return { kind: 'constant', value: typeNames[arg.type.kind] ?? arg.type.kind, type: textType }
}

/** Nulls do not count, unless all are. */
function extreme(sign: number): Builder {
  return (name, args) => {
    if (args.length === 0) return undefined
    const items = unified(args, name.toUpperCase())
    const { type } = items[0]!
    const compare = comparer(type)
    const better = (a: EngineValue, b: EngineValue): EngineValue => (a === null || (b !== null && compare(b, a) * sign > 0) ? b : a)
    return looseCall(name, items, type, (...values) => values.reduce(better))
  }
}

/** 42883 naming the arguments' types when there is no such function. */
export function bindFunction(name: string, args: readonly Bound[], literals: Literals): Bound {
  const call = builderOf(name)?.(name, args, literals)
  if (call !== undefined) return call
  throw new LsmtError('42883', `there is no function ${name}(${args.map(({ type }) => valueTypeName(type)).join(', ')})`)
}

function builderOf(name: string): Builder | undefined {
  for (const functions of [otherFunctions, textFunctions, numberFunctions, byteFunctions]) if (Object.hasOwn(functions, name)) return functions[name]
  return undefined
}
