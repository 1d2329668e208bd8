/** Random expressions as tokens: any operator beside any other, parentheses or not, so that some of them are no SQL. */
import type { Random } from '../../../src/runtime/random.ts'

const binaries = ['or', 'and', 'and', '=', '<', '>', '<=', '>=', '<>', '||', '+', '-', '*', '/', '%', '^', 'is distinct from', 'is not distinct from']
const postfixes = ['is null', 'is not null', 'is true', 'is not false', 'is unknown', 'isnull', 'notnull', ':: text', ':: integer']

/** Tokens of an expression of about `size` operators. */
export function randomExpression(random: Random, size: number): readonly string[] {
  let slots = 0
  return expression(size).join(' ').split(' ').map((token) => (token === '$' ? `$${++slots}` : token))

  function pick(items: readonly string[]): string {
    return items[random.below(items.length)]!
  }

  function expression(budget: number): readonly string[] {
    const inner = plainExpression(budget)
    return budget > 0 && random.below(4) === 0 ? ['(', ...inner, ')'] : inner
  }

  function operands(budget: number, count: number): readonly (readonly string[])[] {
    return Array.from({ length: count }, () => expression(Math.floor((budget - 1) / count)))
  }

  function plainExpression(budget: number): readonly string[] {
    if (budget < 1) return [leaf()]
    const not = random.below(3) === 0 ? ['not'] : []
    switch (random.below(14)) {
      case 0:
        return [pick(['not', '-', '+']), ...expression(budget - 1)]
      case 1:
      case 2:
        return [...expression(budget - 1), pick(postfixes)]
      case 3:
      case 4: {
        const [operand, low, high] = operands(budget, 3)
        return [...operand!, ...not, 'between', ...low!, 'and', ...high!]
      }
      case 5:
      case 6: {
        const [left, right, escape] = operands(budget, 3)
        return [...left!, ...not, pick(['like', 'ilike']), ...right!, ...(random.below(2) === 0 ? ['escape', ...escape!] : [])]
      }
      case 7: {
        const [operand, a, b] = operands(budget, 3)
        return [...operand!, ...not, 'in', '(', ...a!, ',', ...b!, ')']
      }
      case 8:
        return special(budget)
    }
    const [left, right] = operands(budget, 2)
    return [...left!, pick(binaries), ...right!]
  }

  function special(budget: number): readonly string[] {
    const [a, b, c] = operands(budget, 3)
    switch (random.below(4)) {
      case 0:
        return ['case', ...(random.below(2) === 0 ? a! : []), 'when', ...b!, 'then', ...c!, ...(random.below(2) === 0 ? ['else', leaf()] : []), 'end']
      case 1:
        return ['cast', '(', ...a!, 'as', 'bigint', ')']
      case 2:
        return ['position', '(', ...a!, 'in', ...b!, ')']
      default:
        return ['f', '(', ...a!, ',', ...b!, ')']
    }
  }

  function leaf(): string {
    if (random.below(3) > 0) return pick(['a', 'b', 'c', 'd', 'e'])
    return random.below(4) === 0 ? pick(['null', 'true', 'false']) : '$'
  }
}
