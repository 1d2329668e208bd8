/** Functions of fixed parameter types: arguments are brought to them as PostgreSQL does silently. */
import type { Apply, Bound } from '../bound.ts'
import type { Literals } from '../literal.ts'
import { strictCall } from '../bound.ts'
import { coerce } from '../coerce.ts'
import { commonType, isNumber } from '../type.ts'
import type { ValueType } from '../type.ts'

/** Builds a call, or gives undefined when there is no such function for the arguments. */
export type Builder = (name: string, args: readonly Bound[], literals: Literals) => Bound | undefined

/** A function of these parameters, the last `optional` of which may be left out. */
export function fixed(parameters: readonly ValueType[], result: ValueType, apply: Apply, optional = 0): Builder {
  return (name, args) => {
    if (args.length > parameters.length || args.length < parameters.length - optional) return undefined
    const given: Bound[] = []
    for (const [index, arg] of args.entries()) {
      const coerced = asParameter(arg, parameters[index]!)
      if (coerced === undefined) return undefined
      given.push(coerced)
    }
    return strictCall(name, given, result, apply)
  }
}

/** The first that fits. */
export function anyOf(...builders: readonly Builder[]): Builder {
  return (name, args, literals) => {
    for (const build of builders) {
      const call = build(name, args, literals)
      if (call !== undefined) return call
    }
    return undefined
  }
}

export function asParameter(arg: Bound, type: ValueType): Bound | undefined {
  if (arg.type.kind === type.kind && !isNumber(type)) return arg
  const common = commonType(arg.type, type)
  return common !== undefined && common.kind === type.kind ? coerce(arg, type) : undefined
}
