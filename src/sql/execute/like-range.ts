/** What a LIKE pattern says of where its texts lie: between the text it begins with and the next one after all of those. */
import type { EnginePredicateTerm } from '../../engine/engine.ts'
import type { PlanHint } from '../plan-term.ts'
import { slotKind } from '../slot.ts'
import { isLongerThan } from '../value/compare.ts'
import { operandValue } from '../value/values.ts'
import type { Values } from '../value/values.ts'

/** Terms that every text of the pattern satisfies; undefined when there is no such text. */
export function likeTerms({ ordinal, column, pattern, escape }: Extract<PlanHint, { kind: 'like' }>, values: Values): readonly EnginePredicateTerm[] | undefined {
  const given = operandValue(values, pattern)
  const escaping = escape === undefined ? '\\' : textOf(values, escape)
  if (given.kind === slotKind.null) return undefined
  if (given.kind !== slotKind.text || escaping === undefined) return []
  const { prefix, whole } = literalPrefix(given.value as string, escaping)
  if (whole && isLongerThan(column.type, prefix)) return undefined
  if (whole) return [{ ordinal, comparison: 'eq', value: prefix }]
  if (prefix === '') return []
  const next = nextPrefix(prefix)
  return [{ ordinal, comparison: 'ge', value: prefix }, ...(next === undefined ? [] : [{ ordinal, comparison: 'lt', value: next } as const])]
}

function textOf(values: Values, operand: NonNullable<Extract<PlanHint, { kind: 'like' }>['escape']>): string | undefined {
  const { kind, value } = operandValue(values, operand)
  return kind === slotKind.text ? (value as string) : undefined
}

/** What stands before the first wildcard; `whole`: there is none. A pattern that ends in its escape is left to LIKE itself. */
function literalPrefix(pattern: string, escape: string): { readonly prefix: string; readonly whole: boolean } {
  let prefix = ''
  const characters = Array.from(pattern)
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]!
    if (character === escape) {
      const escaped = characters[++at]
      if (escaped === undefined) return { prefix, whole: false }
      prefix += escaped
    } else if (character === '%' || character === '_') return { prefix, whole: false }
    else prefix += character
  }
  return { prefix, whole: true }
}

const codePointMax = 0x10ffff

/** The smallest text above all that begin so, in the order of UTF-8; undefined when there is none. */
function nextPrefix(prefix: string): string | undefined {
  const characters = Array.from(prefix)
  for (;;) {
    const last = characters.pop()
    if (last === undefined) return undefined
    const point = last.codePointAt(0)!
    if (point === codePointMax) continue
    // Half surrogate pairs are no characters.
    return characters.join('') + String.fromCodePoint(point === 0xd7ff ? 0xe000 : point + 1)
  }
}
