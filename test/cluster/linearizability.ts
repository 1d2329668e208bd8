/**
 * Is a history of registers linearizable? The search of Wing & Gong ("Testing and Verifying Concurrent Objects", 1993)
 * with the memory of Lowe ("Testing for linearizability", 2017): operations are put in an order one by one, never after
 * one that had returned before they were called, and a set of operations that led nowhere with a value is not tried again.
 * Keys are independent, so each is judged alone.
 */

/** null: the key has no value. */
export type RegisterValue = string | null

export type RegisterAction =
  | { readonly kind: 'write'; readonly value: RegisterValue }
  | { readonly kind: 'read'; readonly value: RegisterValue }
  /** `succeeded` undefined: nobody was told. */
  | { readonly kind: 'compareAndSet'; readonly expected: RegisterValue; readonly value: RegisterValue; readonly succeeded: boolean | undefined }

export interface RegisterOperation {
  readonly client: string
  readonly key: string
  readonly calledAt: number
  /** Infinity: the outcome is unknown, so it may take effect at any time after its call, or never. */
  readonly returnedAt: number
  readonly action: RegisterAction
}

export type Verdict =
  | { readonly kind: 'linearizable' }
  /** `longest` is the longest order that was found, `stuck` what could not be placed after it. */
  | { readonly kind: 'violation'; readonly key: string; readonly longest: readonly RegisterOperation[]; readonly stuck: readonly RegisterOperation[] }

export function checkHistory(history: readonly RegisterOperation[]): Verdict {
  const keys = new Map<string, RegisterOperation[]>()
  for (const operation of history) {
    if (operation.action.kind === 'read' && operation.returnedAt === Infinity) continue
    const ofKey = keys.get(operation.key)
    if (ofKey === undefined) keys.set(operation.key, [operation])
    else ofKey.push(operation)
  }
  for (const [key, operations] of keys) {
    const verdict = checkRegister(key, operations)
    if (verdict.kind === 'violation') return verdict
  }
  return { kind: 'linearizable' }
}

/** A violation as people read it. */
export function verdictText(verdict: Verdict): string {
  if (verdict.kind === 'linearizable') return 'linearizable'
  const line = ({ client, calledAt, returnedAt, action }: RegisterOperation): string => `  ${client} [${calledAt}, ${returnedAt}] ${JSON.stringify(action)}`
  return [`key ${verdict.key} is not linearizable; the longest order is`, ...verdict.longest.map(line), 'after which none of these fits:', ...verdict.stuck.map(line)].join('\n')
}

/** A call or a return in a doubly linked list by time, so that what is placed can be taken out and put back. */
interface Moment {
  readonly operation: number
  /** undefined for a return. */
  returning: Moment | undefined
  before: Moment | undefined
  after: Moment | undefined
}

/** The value after `action` on `value`; undefined when its outcome says that it cannot have been so. */
function valueAfter(action: RegisterAction, value: RegisterValue): RegisterValue | undefined {
  switch (action.kind) {
    case 'write':
      return action.value
    case 'read':
      return action.value === value ? value : undefined
    case 'compareAndSet':
      if (action.succeeded !== undefined && action.succeeded !== (value === action.expected)) return undefined
      return value === action.expected ? action.value : value
  }
}

function checkRegister(key: string, operations: readonly RegisterOperation[]): Verdict {
  const head = momentsOf(operations)
  const placed = new Uint32Array(Math.ceil(operations.length / 32))
  const seen = new Set<string>()
  const order: { readonly call: Moment; readonly before: RegisterValue }[] = []
  // Those without a known outcome need no place: they may never happen.
  let unplaced = operations.filter(({ returnedAt }) => returnedAt !== Infinity).length
  let value: RegisterValue = null, longest: readonly number[] = []
  const isAwaited = (moment: Moment): boolean => operations[moment.operation]!.returnedAt !== Infinity
  let at = head.after
  while (unplaced > 0) {
    if (at?.returning !== undefined) {
      const next = valueAfter(operations[at.operation]!.action, value)
      if (next !== undefined && isNew(seen, placed, at.operation, next)) {
        order.push({ call: at, before: value })
        if (isAwaited(at)) unplaced--
        value = next
        placed[at.operation >> 5]! ^= 1 << (at.operation & 31)
        take(at)
        at = head.after
      } else at = at.after
      continue
    }
    // A return whose call has no place yet: what was placed last was wrong.
    if (order.length > longest.length) longest = order.map(({ call }) => call.operation)
    const last = order.pop()
    if (last === undefined) return violation(key, operations, longest)
    value = last.before
    if (isAwaited(last.call)) unplaced++
    placed[last.call.operation >> 5]! ^= 1 << (last.call.operation & 31)
    putBack(last.call)
    at = last.call.after
  }
  return { kind: 'linearizable' }
}

function violation(key: string, operations: readonly RegisterOperation[], longest: readonly number[]): Verdict {
  const left = operations.filter((_, i) => !longest.includes(i))
  const firstReturn = Math.min(...left.map(({ returnedAt }) => returnedAt))
  return { kind: 'violation', key, longest: longest.map((i) => operations[i]!), stuck: left.filter(({ calledAt }) => calledAt <= firstReturn) }
}

function isNew(seen: Set<string>, placed: Uint32Array, operation: number, value: RegisterValue): boolean {
  const word = operation >> 5, bit = 1 << (operation & 31)
  placed[word]! ^= bit
  const state = `${placed.join()} ${value === null ? 'null' : `=${value}`}`
  placed[word]! ^= bit
  if (seen.has(state)) return false
  seen.add(state)
  return true
}

/** All calls and returns by time behind an empty head; at one time calls come first, since such operations overlap. */
function momentsOf(operations: readonly RegisterOperation[]): Moment {
  const moments: { readonly time: number; readonly moment: Moment }[] = []
  operations.forEach(({ calledAt, returnedAt }, operation) => {
    const returning: Moment = { operation, returning: undefined, before: undefined, after: undefined }
    moments.push({ time: calledAt, moment: { operation, returning, before: undefined, after: undefined } }, { time: returnedAt, moment: returning })
  })
  const rank = (moment: Moment): number => (moment.returning === undefined ? 1 : 0)
  moments.sort((a, b) => (a.time === b.time ? rank(a.moment) - rank(b.moment) : a.time - b.time))
  const head: Moment = { operation: -1, returning: undefined, before: undefined, after: undefined }
  let last = head
  for (const { moment } of moments) {
    last.after = moment
    moment.before = last
    last = moment
  }
  return head
}

function take(call: Moment): void {
  for (const moment of [call, call.returning!]) {
    moment.before!.after = moment.after
    if (moment.after !== undefined) moment.after.before = moment.before
  }
}

function putBack(call: Moment): void {
  for (const moment of [call.returning!, call]) {
    moment.before!.after = moment
    if (moment.after !== undefined) moment.after.before = moment
  }
}
