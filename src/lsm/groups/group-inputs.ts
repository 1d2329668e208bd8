/** What aggregates by group need of the rows: one input for each column and kind of work, shared by the aggregates that can. */
import type { Kernel } from '../../kernel/kernel.ts'
import type { PhysicalKind } from '../layout.ts'
import type { GroupedAggregateRequest } from '../tree.ts'
import { distinctInput } from './distinct-input.ts'
import type { GroupInput } from './group-input.ts'
import type { GroupedValue } from './group-rows.ts'
import { numberInput, presenceInput, rowCountInput } from './number-input.ts'
import { textInput } from './text-input.ts'

export interface GroupInputs {
  readonly inputs: readonly GroupInput[]
  /** The columns they read. */
  readonly ordinals: readonly number[]
  /** By request. */
  readonly readers: readonly ((group: number) => GroupedValue)[]
}

export function createGroupInputs(kernel: Kernel, columns: readonly PhysicalKind[], requests: readonly GroupedAggregateRequest[]): GroupInputs {
  const inputs = new Map<string, GroupInput>()
  const readers = requests.map((request) => {
    const name = `${request.ordinal ?? 'rows'} ${isDistinct(request) ? 'distinct' : ''}`
    const input = inputs.get(name) ?? createInput(kernel, columns, requests, request)
    inputs.set(name, input)
    return input.reader(request.function)
  })
  const ordinals = requests.flatMap(({ ordinal }) => (ordinal === undefined ? [] : [ordinal]))
  return { inputs: [...inputs.values()], ordinals: [...new Set(ordinals)], readers }
}

/** Extremes are the same with and without DISTINCT. */
const isDistinct = (request: GroupedAggregateRequest): boolean => request.distinct === true && (request.function === 'count' || request.function === 'sum')

function createInput(kernel: Kernel, columns: readonly PhysicalKind[], requests: readonly GroupedAggregateRequest[], request: GroupedAggregateRequest): GroupInput {
  const { ordinal } = request
  if (ordinal === undefined) return rowCountInput(kernel)
  const kind = columns[ordinal]!
  if (isDistinct(request)) return distinctInput(kernel, ordinal, kind)
  const countsOnly = requests.every((each) => each.ordinal !== ordinal || isDistinct(each) || each.function === 'count')
  if (countsOnly) return presenceInput(kernel, ordinal)
  return kind === 'bytes' ? textInput(kernel, ordinal) : numberInput(kernel, ordinal, kind)
}
