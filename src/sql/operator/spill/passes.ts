/**
 * Hashing of more than memory holds, after the hybrid hash join of DeWitt et al. (1984): a pass holds what it can and
 * defers rows of other keys to partitions on storage; each partition then is the input of a pass of its own. Every pass
 * holds at least one row that was deferred before, so this ends also for a single key with more rows than fit: it is
 * then gone through in stretches, as a nested loop would.
 */
import type { EngineRow, SpilledRun, SpillFile } from '../../../engine/engine.ts'
import type { Batch, QueryRun, Stream } from '../query-run.ts'
import { discardSpillFile, noRows, openSpillFile } from '../query-run.ts'
import { newKeyMarks } from './key-marks.ts'
import type { KeyMarks } from './key-marks.ts'
import type { MemoryShare } from './query-memory.ts'
import { createPartitions } from './partitions.ts'
import type { Partitions } from './partitions.ts'

export interface Pass {
  /** The inputs are those that the operator was given; otherwise they are what an earlier pass deferred. */
  readonly isFirst: boolean
  /** Takes memory for something that is held to the end of the pass; once it has said no, it says no to the end. */
  admit(bytes: number): boolean
  /** Leaves a row of an input to a later pass, together with those of all inputs whose keys have this hash. */
  defer(input: number, hash: number, row: EngineRow): void
  /** Whether rows of the first input that may have a key of this hash were deferred. */
  isDeferred(hash: number): boolean
  /** To be waited for after each batch of an input. */
  settle(): Promise<void>
}

export type Work = (inputs: readonly Stream[], pass: Pass) => AsyncIterable<Batch>

interface Task {
  readonly inputs: readonly Stream[]
  readonly level: number
  /** What the inputs were deferred to. */
  readonly source: Source | undefined
}

interface Source {
  readonly file: SpillFile
  tasksLeft: number
}

/** Rows that are deferred of any input come again only if the first input has some of their partition. */
export async function* inPasses(inputs: readonly Stream[], run: QueryRun, share: MemoryShare, work: Work, level = 0): AsyncGenerator<Batch> {
  const before = share.usedBytes
  const files = new Set<SpillFile>()
  const tasks: Task[] = [{ inputs, level, source: undefined }]
  try {
    for (let task = tasks.pop(); task !== undefined; task = tasks.pop()) {
      const pass = createPass(task, level, run, share, files)
      yield* work(task.inputs, pass)
      tasks.push(...await pass.rest())
      share.give(share.usedBytes - before)
      if (task.source !== undefined && --task.source.tasksLeft === 0) {
        files.delete(task.source.file)
        await discardSpillFile(run, task.source.file)
      }
    }
  } finally {
    share.give(share.usedBytes - before)
    for (const file of files) await discardSpillFile(run, file)
  }
}

function createPass(task: Task, firstLevel: number, run: QueryRun, share: MemoryShare, files: Set<SpillFile>): Pass & { rest(): Promise<readonly Task[]> } {
  let file: SpillFile | undefined
  const deferred: (Partitions | undefined)[] = task.inputs.map(() => undefined)
  /** Of the first input, for those that are asked about by others. */
  let marks: KeyMarks | undefined
  let isFull = false
  let isEmpty = true
  const open = (): SpillFile => {
    if (file === undefined) files.add(file = openSpillFile(run))
    return file
  }
  return {
    isFirst: task.level === firstLevel,
    admit(bytes) {
      if (isFull) return false
      if (isEmpty) share.need(bytes)
      else if (!share.take(bytes)) isFull = true
      isEmpty = false
      return !isFull
    },
    defer(input, hash, row) {
      const partitions = (deferred[input] ??= createPartitions(run, share, open(), task.level))
      partitions.add(hash, row)
      if (input > 0 || deferred.length === 1) return
      marks ??= newKeyMarks(share, run.memory.bytesMax)
      marks.mark(hash)
    },
    // Without rows of the first input a partition does not come again.
    isDeferred: (hash) => marks?.mayHave(hash) === true && deferred[0]!.has(hash),
    async settle() {
      for (const partitions of deferred) await partitions?.settle()
    },
    async rest() {
      if (file === undefined) return []
      const runs: (readonly SpilledRun[] | undefined)[] = []
      for (const partitions of deferred) runs.push(await partitions?.finish())
      const source = { file, tasksLeft: 0 }
      const tasks: Task[] = []
      for (let partition = 0; partition < (runs[0]?.length ?? 0); partition++) {
        if (runs[0]![partition]!.rowCount === 0) continue
        tasks.push({ inputs: runs.map((each): Stream => () => each === undefined ? noRows() : each[partition]!.read()), level: task.level + 1, source })
      }
      source.tasksLeft = tasks.length
      return tasks
    },
  }
}
