/** Statements that can be explained, as trees. */
import type { EngineRow } from '../../engine/engine.ts'
import type { TableSchema } from '../../engine/schema.ts'
import { LsmtError } from '../../errors.ts'
import { keysOf, keyValue } from '../execute/keys.ts'
import type { DeletePlan, GetPlan, InsertPlan, QueryPlan, StatementPlan, UpdatePlan } from '../plan.ts'
import { atOperand } from '../value/values.ts'
import type { Values } from '../value/values.ts'
import { describeQuery } from './describe-query.ts'
import { describeAccess, keyDetail } from './describe-scan.ts'
import type { Detail, ExplainNode } from './explain-node.ts'
import { printExpression, printTerm } from './print-expression.ts'
import type { RecordingProbe } from './probe.ts'

/** 0A000 for statements that have no plan to show. */
export function describePlan(plan: StatementPlan, values: Values, probe: RecordingProbe | undefined): ExplainNode {
  switch (plan.kind) {
    case 'get':
    case 'query':
      return describeQueryPlan(plan, values, probe)
    case 'insert':
      return describeInsert(plan, values, probe)
    case 'update':
      return { title: `Update ${plan.table.name}`, details: [['Set', plan.change.sets.map(({ ordinal }) => plan.table.columns[ordinal]!.name).join(', ')], ...changeDetails(plan, values)], children: changedRows(plan, values) }
    case 'delete':
      return { title: `Delete from ${plan.table.name}`, details: changeDetails(plan, values), children: changedRows(plan, values) }
    case 'createTable':
    case 'dropTable':
    case 'alterTable':
    case 'truncate':
    case 'show':
      throw new LsmtError('0A000', 'EXPLAIN of anything but SELECT, INSERT, UPDATE and DELETE is not supported')
  }
}

function describeQueryPlan(plan: QueryPlan, values: Values, probe: RecordingProbe | undefined): ExplainNode {
  return plan.kind === 'query' ? describeQuery(plan.node, values, probe) : describeGet(plan, values)
}

/** The key's parts; a value that no key can have makes the read one of nothing. */
function describeGet({ table, key, columns }: GetPlan, values: Values): ExplainNode {
  const terms = key.map(({ column, operand }) => ({ ordinal: table.columns.indexOf(column), comparison: 'eq' as const, value: atOperand(values, operand, (value) => keyValue(column, value)) }))
  const shown = terms.map((term) => (term.value === undefined ? `${table.columns[term.ordinal]!.name} has no such value` : printTerm(table, { ...term, value: term.value })))
  return { title: `Point Read on ${table.name}`, details: [['Key', shown.join(' AND ')], ...columnList(table, columns)], children: [] }
}

function columnList(table: GetPlan['table'], columns: readonly number[]): readonly Detail[] {
  return columns.length === 0 ? [] : [['Columns', columns.map((ordinal) => table.columns[ordinal]!.name).join(', ')]]
}

function describeInsert(plan: InsertPlan, values: Values, probe: RecordingProbe | undefined): ExplainNode {
  const { table, mode, onConflict, query, tuples, computed } = plan
  const existing = onConflict !== undefined ? 'is updated' : mode === 'upsert' ? 'is replaced' : mode === 'insert-or-ignore' ? 'is kept' : 'is an error'
  const count = (computed?.tuples ?? tuples).length * values.statement.tupleCount
  const source: ExplainNode = query === undefined ? { title: 'Values', details: [['Rows', count]], children: [] } : describeQueryPlan(query.plan, values, probe)
  return { title: `Insert into ${table.name}`, details: [['An Existing Row', existing], ...returning(plan)], children: [source] }
}

function returning({ returning: given }: InsertPlan | UpdatePlan | DeletePlan): readonly Detail[] {
  return given === undefined ? [] : [['Returning', given.output.map(({ name }) => name).join(', ')]]
}

/** What is checked of a found row before it is changed. */
function changeDetails(plan: UpdatePlan | DeletePlan, values: Values): readonly Detail[] {
  const { condition } = plan.change
  const checked: readonly Detail[] = condition === undefined ? [] : [['Condition', printExpression(condition, plan.table.columns.map(({ name }) => name), values)]]
  return [...checked, ...returning(plan)]
}

/** How the rows to be changed are found, and what is asked with them at hand. */
function changedRows({ table, find, change }: UpdatePlan | DeletePlan, values: Values): readonly ExplainNode[] {
  const work: readonly ExplainNode[] = change.work === undefined ? [] : [{ ...describeQuery(change.work, values, undefined), relation: 'for the rows found' }]
  if (find.kind === 'keys') return [describeKeys(table, keysOf(find, values)), ...work]
  const { title, details } = describeAccess(table, find.terms, [], values)
  return [{ title: `${title} on ${table.name}`, details, children: [] }, ...work]
}

/** Rows read by their whole keys. */
function describeKeys(table: TableSchema, keys: readonly EngineRow[]): ExplainNode {
  return { title: `Point ${keys.length === 1 ? 'Read' : 'Reads'} on ${table.name}`, details: [['Keys', keys.length], ...keyDetail(table, keys)], children: [] }
}
