import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/runtime/random.ts'
import { checkHistory, verdictText } from './linearizability.ts'
import type { RegisterAction, RegisterOperation, RegisterValue } from './linearizability.ts'

const op = (client: string, calledAt: number, returnedAt: number, action: RegisterAction, key = 'k'): RegisterOperation => ({ client, key, calledAt, returnedAt, action })
const write = (value: RegisterValue): RegisterAction => ({ kind: 'write', value })
const read = (value: RegisterValue): RegisterAction => ({ kind: 'read', value })
const swap = (expected: RegisterValue, value: RegisterValue, succeeded: boolean | undefined): RegisterAction => ({ kind: 'compareAndSet', expected, value, succeeded })
const unknown = Infinity

const good: Readonly<Record<string, readonly RegisterOperation[]>> = {
  'nothing at all': [],
  'a read before any write': [op('a', 0, 1, read(null))],
  'a read that overlaps a write sees the old value': [op('a', 0, 1, write('1')), op('a', 2, 9, write('2')), op('b', 3, 4, read('1'))],
  'a read that overlaps a write sees the new value': [op('a', 0, 1, write('1')), op('a', 2, 9, write('2')), op('b', 3, 4, read('2'))],
  'a call at the moment of a return overlaps it': [op('a', 0, 5, write('1')), op('b', 5, 6, read(null))],
  'a write of unknown outcome took effect late': [op('a', 0, unknown, write('1')), op('b', 5, 6, read(null)), op('b', 7, 8, read('1'))],
  'a write of unknown outcome never took effect': [op('a', 0, unknown, write('1')), op('b', 5, 6, read(null)), op('b', 7, 8, read(null))],
  'one of two concurrent swaps wins': [op('a', 0, 9, swap(null, 'a', true)), op('b', 1, 8, swap(null, 'b', false)), op('c', 10, 11, read('a'))],
  'a swap of unknown outcome explains a value': [op('a', 0, 1, write('1')), op('b', 2, unknown, swap('1', '2', undefined)), op('c', 5, 6, read('2'))],
  'a delete': [op('a', 0, 1, write('1')), op('a', 2, 3, write(null)), op('b', 4, 5, read(null))],
  'keys know nothing of each other': [op('a', 0, 1, write('1'), 'x'), op('b', 2, 3, read(null), 'y')],
  'order found only by going back': [op('a', 0, 10, write('1')), op('b', 0, 10, write('2')), op('c', 0, 10, write('3')), op('d', 1, 4, read('2')), op('d', 5, 8, read('1')), op('d', 11, 12, read('3'))],
}

const bad: Readonly<Record<string, readonly RegisterOperation[]>> = {
  'a lost write': [op('a', 0, 1, write('1')), op('b', 2, 3, read(null))],
  'a stale read after a newer one': [op('a', 0, 1, write('1')), op('a', 2, 20, write('2')), op('b', 3, 4, read('2')), op('c', 5, 6, read('1'))],
  'a value that nobody wrote': [op('a', 0, 1, read('7'))],
  'both of two swaps of one value win': [op('a', 0, 9, swap(null, 'a', true)), op('b', 1, 8, swap(null, 'b', true))],
  'a swap fails though the value was as expected': [op('a', 0, 1, write('1')), op('b', 2, 3, swap('1', '2', false))],
  'a write of unknown outcome before its call': [op('b', 0, 1, read('1')), op('a', 2, unknown, write('1'))],
  'a write of unknown outcome happens twice': [op('a', 0, unknown, write('1')), op('b', 1, 2, read('1')), op('b', 3, 4, write('2')), op('b', 5, 6, read('1'))],
  'an acknowledged delete comes back': [op('a', 0, 1, write('1')), op('a', 2, 3, write(null)), op('b', 4, 5, read('1'))],
  'only one key of two is wrong': [op('a', 0, 1, write('1'), 'x'), op('b', 2, 3, read('1'), 'x'), op('b', 4, 5, read('1'), 'y')],
}

describe('linearizability', () => {
  it.each(Object.entries(good))('accepts: %s', (_, history) => {
    expect(verdictText(checkHistory(history))).toBe('linearizable')
  })

  it.each(Object.entries(bad))('refuses: %s', (_, history) => {
    expect(checkHistory(history).kind).toBe('violation')
  })

  it('says what could not be placed', () => {
    expect(verdictText(checkHistory(bad['a lost write']!))).toBe(
      'key k is not linearizable; the longest order is\n  a [0, 1] {"kind":"write","value":"1"}\nafter which none of these fits:\n  b [2, 3] {"kind":"read","value":null}',
    )
  })

  it('agrees with trying every order', () => {
    let violations = 0
    for (let seed = 1; seed <= 3_000; seed++) {
      const history = randomHistory(seed)
      const expected = hasOrder(history, null)
      if (!expected) violations++
      expect(checkHistory(history).kind, `LSMT_SEED=${seed}`).toBe(expected ? 'linearizable' : 'violation')
    }
    expect(violations).toBeGreaterThan(500)
    expect(violations).toBeLessThan(2_500)
  })

  it('judges a long history with many open outcomes at once', () => {
    const history: RegisterOperation[] = []
    for (let i = 0; i < 200; i++) history.push(op('w', 10 * i, i % 9 === 0 ? unknown : 10 * i + 15, write(`${i}`)), op('r', 10 * i + 16, 10 * i + 18, read(i % 9 === 0 && i > 0 ? `${i - 1}` : `${i}`)))
    expect(checkHistory(history).kind).toBe('linearizable')
  })
})

function randomHistory(seed: number): RegisterOperation[] {
  const random = seededRandom(seed)
  const value = (): RegisterValue => [null, '1', '2'][random.below(3)]!
  return Array.from({ length: 2 + random.below(5) }, (_, i) => {
    const calledAt = random.below(12), isOpen = random.below(5) === 0
    const action = [write(value()), read(value()), swap(value(), value(), isOpen ? undefined : random.below(2) === 0)][random.below(3)]!
    return op(`c${i}`, calledAt, isOpen ? unknown : calledAt + 1 + random.below(8), action)
  })
}

/** By the definition: some order of all that returned, and of some that did not, that keeps to time and values. */
function hasOrder(left: readonly RegisterOperation[], value: RegisterValue): boolean {
  if (left.every(({ returnedAt }) => returnedAt === unknown)) return true
  const firstReturn = Math.min(...left.map(({ returnedAt }) => returnedAt))
  return left.some((operation) => {
    if (operation.calledAt > firstReturn) return false
    const { action } = operation
    const fits = action.kind === 'write' || operation.returnedAt === unknown || (action.kind === 'read' ? action.value === value : action.succeeded === (value === action.expected))
    if (!fits) return false
    const next = action.kind === 'write' || (action.kind === 'compareAndSet' && value === action.expected) ? action.value : value
    return hasOrder(left.filter((other) => other !== operation), next)
  })
}
