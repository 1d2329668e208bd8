/**
 * Queries of WITH. Each is bound once, where it stands, so that its names mean the same wherever it is used. As in
 * PostgreSQL one that is named once becomes part of the query that names it, and one that is named more often is
 * computed once, unless MATERIALIZED or NOT MATERIALIZED say otherwise.
 */
import type { CommonPlan } from '../../operator/node.ts'
import type { CommonTable } from '../../syntax/query/query.ts'
import { renamed } from '../bound-query.ts'
import type { BoundQuery } from '../bound-query.ts'
import type { BindQuery } from '../expression-scope.ts'
import type { BlockScope, CommonSource, StatementContext } from '../scope.ts'

/** Also one that nobody names is checked. `outer`: the block around the query that begins with WITH. */
export function bindCommon(context: StatementContext, table: CommonTable, outer: BlockScope | undefined, bindQuery: BindQuery): void {
  const bound = bindQuery(context, table.query, outer)
  const output = renamed(context.origin, bound.output, table.columns)
  const plan: CommonPlan = {
    name: table.name.name,
    columns: output.map(({ name }) => name),
    node: bound.node,
    isHeld: table.materialized ?? table.references > 1,
    outer: bound.outer.map(({ reference }) => reference),
  }
  context.common.set(table, { query: { node: bound.node, output, outer: bound.outer }, outer, plan })
}

/** The query's rows as a table in FROM of a block. */
export function commonRows(scope: BlockScope, table: CommonTable, alias: string): BoundQuery {
  const source = scope.context.common.get(table)!
  const { query, plan } = source
  const blocks = blocksBetween(scope, source)
  for (const { block, isLast } of blocks) block.outerUsed.push(...query.outer.map(({ reference, local }) => ({ reference, local: local && isLast })))
  // Further in than its WITH the query may be asked for again and again; a table is kept as it is.
  const isPlain = !plan.isHeld && (blocks.length === 1 || query.node.kind === 'scan')
  return isPlain ? query : { ...query, node: { kind: 'common', plan, alias } }
}

/** The blocks from the one that names the query to one of those that the WITH stands before: they depend on what it depends on. */
function blocksBetween(scope: BlockScope, { outer }: CommonSource): readonly { readonly block: BlockScope; readonly isLast: boolean }[] {
  const blocks: { block: BlockScope; isLast: boolean }[] = []
  for (let block: BlockScope | undefined = scope; block !== undefined && block !== outer; block = block.outer) blocks.push({ block, isLast: block.outer === outer })
  return blocks
}
