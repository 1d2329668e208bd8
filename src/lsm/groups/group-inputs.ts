/** What aggregates by group need of the rows: one input for each column and kind of work, shared by the aggregates that can. */
import type { Kernel } from '../../kernel/kernel.ts'
import type { PhysicalKind } from '../layout.ts'
import type { GroupedAggregateRequest } from '../tree.ts'
import { distinctInput } from './distinct-input.ts'
import type { DoublesReader, GroupInput } from './group-input.ts'
import type { GroupedValue } from './group-rows.ts'
import { numberInput, presenceInput } from './number-input.ts'
import type { NumberInput } from './number-input.ts'
import { rowCountInput } from './row-count-input.ts'
import { textInput } from './text-input.ts'

export interface GroupInputs {
  /** In the order in which rows are to be added to them. */
  readonly inputs: readonly GroupInput[]
  /** The columns they read. */
  readonly ordinals: readonly number[]
  /** By request. */
  readonly readers: readonly ((group: number) => GroupedValue)[]
  readonly doubles: readonly (DoublesReader | undefined)[]
}

export interface GroupInputsOptions {
  readonly columns: readonly PhysicalKind[]
  readonly requests: readonly GroupedAggregateRequest[]
  /** Whether there is a key column. */
  readonly isGrouped: boolean
  /** How many rows are likely to come. */
  rowsExpected(): number
}

export function createGroupInputs(kernel: Kernel, options: GroupInputsOptions): GroupInputs {
  const { columns, requests, isGrouped } = options
  const inputs = new Map<string, GroupInput>()
  for (const request of requests) {
    const { ordinal } = request, name = nameOf(request)
    if (ordinal === undefined || inputs.has(name)) continue
    inputs.set(name, isDistinct(request) ? distinctInput(kernel, ordinal, columns[ordinal]!, isGrouped) : columnInput(kernel, ordinal, options))
  }
  const rows = requests.some(({ ordinal }) => ordinal === undefined) ? rowCountInput(kernel, [...inputs.values()].find(isNumberInput)) : undefined
  const inputOf = (request: GroupedAggregateRequest): GroupInput => (request.ordinal === undefined ? rows! : inputs.get(nameOf(request))!)
  const readers = requests.map((request) => inputOf(request).reader(request.function)), doubles = requests.map((request) => inputOf(request).doubles?.(request.function))
  const ordinals = requests.flatMap(({ ordinal }) => (ordinal === undefined ? [] : [ordinal]))
  return { inputs: [...(rows === undefined ? [] : [rows]), ...inputs.values()], ordinals: [...new Set(ordinals)], readers, doubles }
}

/** Extremes are the same with and without DISTINCT. */
const isDistinct = (request: GroupedAggregateRequest): boolean => request.distinct === true && (request.function === 'count' || request.function === 'sum')
const nameOf = (request: GroupedAggregateRequest): string => `${request.ordinal} ${isDistinct(request) ? 'distinct' : ''}`
const isNumberInput = (input: GroupInput): input is NumberInput => 'accumulators' in input

/** For all that is asked of a column without DISTINCT. */
function columnInput(kernel: Kernel, ordinal: number, { columns, requests, rowsExpected }: GroupInputsOptions): GroupInput {
  const kind = columns[ordinal]!
  const functions = new Set(requests.filter((request) => request.ordinal === ordinal && !isDistinct(request)).map((request) => request.function))
  if (!functions.has('min') && !functions.has('max') && !functions.has('sum')) return presenceInput(kernel, ordinal)
  return kind === 'bytes' ? textInput(kernel, ordinal) : numberInput(kernel, ordinal, kind, functions.has('min') || functions.has('max'), rowsExpected)
}
