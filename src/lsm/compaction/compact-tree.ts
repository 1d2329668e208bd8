/** Compactions of one tree: picked, run and published one at a time, in the background or because someone asked. */
import { canWork, openOutputs, reasonOf, withRetries } from '../state/background.ts'
import { publish } from '../state/publish.ts'
import type { TreeState } from '../state/tree-state.ts'
import { dropFile } from '../state/tree-state.ts'
import { noTables, releaseVersion, retainVersion } from '../state/version.ts'
import type { Levels, TableFile, VersionEdit } from '../state/version.ts'
import type { CompactJob, JobResult } from './job.ts'
import { debtBytes, pickCompaction, planTooManyRuns, planWholeTable } from './pick.ts'
import type { CompactionPlan, MetaLevels, PickSettings } from './pick.ts'

/** Compacts while there is something to compact. */
export function startCompaction(state: TreeState): void {
  state.lanes.compactionWanted = true
  if (state.lanes.compacting || !canWork(state)) return
  state.lanes.compacting = true
  const work = withRetries(state, 'compaction', () => inLane(state, async () => {
    state.lanes.compactionWanted = false
    const plan = pickCompaction(metaTables(state), pickSettings(state))
    if (plan === undefined) return 'done'
    await runPlan(state, plan)
    return 'again'
  })).finally(() => {
    state.lanes.compacting = false
    // Asked for between the last pick and here.
    if (state.lanes.compactionWanted) startCompaction(state)
  })
  state.lanes.background = work
}

/** See `debtBytes`. */
export function compactionDebtBytes(state: TreeState): number {
  return debtBytes(metaTables(state), pickSettings(state))
}

const pickSettings = ({ options: { settings, jobs } }: TreeState): PickSettings => ({ ...settings, pinnedBytesMax: jobs.pinnedBytesMax })

function tooManyRuns(state: TreeState, tableId: number): CompactionPlan | undefined {
  const levels = metaTables(state).get(tableId)
  return levels === undefined ? undefined : planTooManyRuns(tableId, levels, pickSettings(state))
}

/** Everything of every table into its last level. */
export async function compactTree(state: TreeState): Promise<void> {
  for (const tableId of state.view.version.tables.keys()) {
    await inLane(state, async () => {
      for (let plan = tooManyRuns(state, tableId); plan !== undefined; plan = tooManyRuns(state, tableId)) await runPlan(state, plan)
      const levels = metaTables(state).get(tableId)
      const plan = levels === undefined ? undefined : planWholeTable(tableId, levels)
      if (plan !== undefined) await runPlan(state, plan)
    })
  }
}

/** One compaction at a time, in the order asked. */
function inLane<T>(state: TreeState, work: () => Promise<T>): Promise<T> {
  const outcome = state.lanes.compaction.then(work)
  state.lanes.compaction = outcome.catch(() => undefined)
  return outcome
}

function metaTables(state: TreeState): ReadonlyMap<number, MetaLevels> {
  const metas = (levels: Levels): MetaLevels => levels.map((files) => files.map(({ meta }) => meta))
  // A dropped table waits for the flush that lets go of it.
  return new Map([...state.view.version.tables].filter(([tableId]) => state.layouts.has(tableId)).map(([tableId, levels]) => [tableId, metas(levels)]))
}

async function runPlan(state: TreeState, plan: CompactionPlan): Promise<void> {
  await (plan.isMove ? move(state, plan) : merge(state, plan)).catch(async (error: unknown) => {
    throw await reasonOf(state, error)
  })
}

async function move(state: TreeState, plan: CompactionPlan): Promise<void> {
  if (await publishPlan(state, plan, () => inputFiles(state, plan))) state.counters.trivialMoves++
}

async function merge(state: TreeState, plan: CompactionPlan): Promise<void> {
  const job = jobOf(state, plan)
  if (job === undefined) return
  const result = await runPinned(state, job)
  const outputs = await openOutputs(state, result.files)
  try {
    if (!(await publishPlan(state, plan, () => outputs.files))) await outputs.discard()
    state.counters.compactions++
    state.counters.bytesCompacted += result.files.reduce((sum, { byteLength }) => sum + byteLength, 0)
  } catch (error) {
    await outputs.discard()
    throw error
  }
}

/** The job's inputs stay until it is done, also when their table is dropped meanwhile. */
async function runPinned(state: TreeState, job: CompactJob): Promise<JobResult> {
  const version = retainVersion(state.view.version)
  try {
    return await state.options.jobs.run(job, state.closing.signal)
  } finally {
    releaseVersion(version, (file) => dropFile(state, file))
  }
}

function jobOf(state: TreeState, { tableId, runs, outputLevel, isLastLevel }: CompactionPlan): CompactJob | undefined {
  const { settings, shard } = state.options
  const layout = state.layouts.get(tableId)
  if (layout === undefined) return undefined
  const inputBytes = runs.flat().reduce((sum, { byteLength }) => sum + byteLength, 0)
  const count = Math.ceil(inputBytes / settings.tableFileBytes) * 2 + 2
  const from = state.nextFileNumber
  state.nextFileNumber += count
  return { kind: 'compact', shard, layout, runs, outputLevel, isLastLevel, fileNumbers: { from, count }, settings }
}

/** Replaces a plan's inputs; false when they are gone because their table was dropped. */
function publishPlan(state: TreeState, plan: CompactionPlan, added: () => readonly TableFile[]): Promise<boolean> {
  return publish(state, {
    edit(): VersionEdit | undefined {
      const inputs = inputFiles(state, plan)
      if (inputs.length < plan.runs.flat().length) return undefined
      return {
        added: added().map((file) => ({ level: plan.outputLevel, file })),
        removed: new Set(inputs.map(({ meta }) => meta.fileNumber)),
        droppedTables: noTables,
      }
    },
    changes: {},
    onPublished: () => undefined,
  })
}

function inputFiles(state: TreeState, plan: CompactionPlan): readonly TableFile[] {
  const numbers = new Set(plan.runs.flat().map(({ fileNumber }) => fileNumber))
  return (state.view.version.tables.get(plan.tableId) ?? []).flat().filter(({ meta }) => numbers.has(meta.fileNumber))
}
