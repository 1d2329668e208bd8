/** A described plan as lines of text, or as one JSON document. */
import type { ReadStats } from '../../lsm/tree.ts'
import type { QueryStats } from '../result.ts'
import type { Actual, Detail, ExplainNode } from './explain-node.ts'

/** What ANALYZE tells of the whole statement. */
export interface Totals {
  readonly ms: number
  /** Rows given, or changed by a write. */
  readonly rows: number
  readonly reads: QueryStats
  /** What a request to storage costs in USD; 0 where it costs nothing. */
  readonly usdPerRead: number
}

export function renderText(node: ExplainNode, totals: Totals | undefined): readonly string[] {
  const lines = nodeLines(node)
  if (totals === undefined) return lines
  return [...lines, ...[...readDetails(totals.reads), ...cost(totals), ...spilled(totals.reads.spilledBytes)].map(detailLine), `Execution Time: ${totals.ms.toFixed(3)} ms`]
}

/** Details stand two blanks further in than their node, nodes below behind an arrow. */
function nodeLines(node: ExplainNode): readonly string[] {
  const { actual, details, children } = node
  const ran = actual === undefined ? '' : ` (actual rows=${actual.rows} loops=${actual.loops} time=${actual.ms.toFixed(3)} ms)`
  const own = [...details, ...actualDetails(actual)].map((detail) => `  ${detailLine(detail)}`)
  const below = children.flatMap((child) => nodeLines(child).map((line, index) => `${index === 0 ? '  ->  ' : '      '}${line}`))
  return [`${node.title}${node.relation === undefined ? '' : ` [${node.relation}]`}${ran}`, ...own, ...below]
}

function detailLine([label, value]: Detail): string {
  return `${label}: ${value}`
}

function actualDetails(actual: Actual | undefined): readonly Detail[] {
  if (actual === undefined) return []
  return [...(actual.reads === undefined ? [] : readDetails(actual.reads)), ...(actual.heldBytes === 0 ? [] : [['Memory', `${actual.heldBytes} bytes`] as const]), ...spilled(actual.spilledBytes)]
}

function cost({ reads: { storageRequests }, usdPerRead }: Totals): readonly Detail[] {
  return usdPerRead === 0 ? [] : [['Estimated Cost', `${(storageRequests * usdPerRead).toFixed(9)} USD for storage requests`]]
}

function spilled(bytes: number): readonly Detail[] {
  return bytes === 0 ? [] : [['Spilled', `${bytes} bytes`]]
}

function readDetails({ rowGroupsTotal, rowGroupsPruned, bytesRead, storageRequests }: ReadStats): readonly Detail[] {
  return [
    ['Row Groups', `${rowGroupsTotal} total, ${rowGroupsPruned} pruned, ${rowGroupsTotal - rowGroupsPruned} read`],
    ['Bytes Read', `${bytesRead} in ${storageRequests} storage requests`],
  ]
}

export function renderJson(node: ExplainNode, totals: Totals | undefined): string {
  const whole = totals === undefined ? {} : { 'Rows': totals.rows, ...jsonReads(totals.reads), ...(totals.usdPerRead === 0 ? {} : { 'Estimated USD': totals.reads.storageRequests * totals.usdPerRead }), 'Spilled Bytes': totals.reads.spilledBytes, 'Execution Time': round(totals.ms) }
  return JSON.stringify([{ Plan: jsonNode(node), ...whole }], null, 2)
}

function jsonNode({ title, relation, details, children, actual }: ExplainNode): object {
  return {
    'Node Type': title,
    ...(relation === undefined ? {} : { Relation: relation }),
    ...Object.fromEntries(details),
    ...(actual === undefined ? {} : { 'Actual Rows': actual.rows, 'Actual Loops': actual.loops, 'Actual Time': round(actual.ms), ...(actual.reads === undefined ? {} : jsonReads(actual.reads)), 'Memory Bytes': actual.heldBytes, 'Spilled Bytes': actual.spilledBytes }),
    ...(children.length === 0 ? {} : { Plans: children.map(jsonNode) }),
  }
}

function jsonReads({ rowGroupsTotal, rowGroupsPruned, bytesRead, storageRequests }: ReadStats): object {
  return { 'Row Groups Total': rowGroupsTotal, 'Row Groups Pruned': rowGroupsPruned, 'Row Groups Read': rowGroupsTotal - rowGroupsPruned, 'Bytes Read': bytesRead, 'Storage Requests': storageRequests }
}

function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000
}
