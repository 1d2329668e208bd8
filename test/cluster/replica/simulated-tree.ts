/** A replica's tree over a simulated disk: requests take time, crashes lose some of them. */
import { invariant } from '../../../src/errors.ts'
import { readBatchHeader } from '../../../src/lsm/batch.ts'
import { partOf } from '../../../src/lsm/log/logged-parts.ts'
import type { FetchedFiles, ReplicatedTree } from '../../../src/lsm/replicated/replicated-tree.ts'
import type { Tree } from '../../../src/lsm/tree.ts'
import type { TreeEvents, TreeSource } from '../../../src/cluster/replica/held-tree.ts'
import { logStateOf } from '../simulation/disk.ts'
import type { Disk, Files } from '../simulation/disk.ts'
import type { NodeRows } from '../simulation/rows.ts'

export interface SimulatedTrees extends TreeSource {
  flush(): void
  fail(error: Error): void
}

export interface TreesOptions {
  readonly disk: Disk
  readonly rows: NodeRows
  /** Runs on the main loop of the node, when it gets to it. */
  readonly onMain: (run: () => void) => () => void
  /** Where appends wait while writers are to wait; undefined: not now. */
  readonly admit: () => Promise<void> | undefined
}

export function createTrees({ disk, rows, onMain, admit }: TreesOptions): SimulatedTrees {
  let commitSequence = 0, released = 0, exports = 0
  let events: TreeEvents | undefined

  const request = (carryOut: () => void): Promise<void> => new Promise((resolve) => disk.request(carryOut, onMain(resolve)))

  /** As far as parts are released. */
  function show(): void {
    let through = rows.applied
    for (const { lastSequence, batch } of rows.entries()) {
      if (lastSequence <= through) continue
      if (lastSequence > commitSequence || (readBatchHeader(batch).participants !== undefined && lastSequence > released)) break
      through = lastSequence
    }
    if (through === rows.applied) return
    rows.apply(through)
    events!.onVisible(through)
  }

  function flush(): void {
    const through = rows.applied
    const entry = rows.entries().find(({ lastSequence }) => lastSequence === through)
    if (exports > 0 || entry === undefined || through <= disk.files.through.sequence) return
    const files: Files = { through: { sequence: through, epoch: entry.epoch }, rows: rows.snapshot() }
    let isKept = true
    disk.request(() => {
      if (exports > 0 || through <= disk.files.through.sequence) return
      isKept = false
      disk.files = files
      disk.log = disk.log.filter(({ lastSequence }) => lastSequence > through)
    }, onMain(() => {
      if (isKept) return
      rows.trim(through)
      events!.onTrimmed(through)
    }))
  }

  function treeOf(): ReplicatedTree {
    const { startSequence, lastSequence, epochs } = logStateOf(disk)
    return {
      found: { storedEpoch: disk.storedEpoch, startSequence, lastSequence, epochs },
      tree: { admit, get visibleSequence() { return rows.applied } } as unknown as Tree,
      storeEpoch: (epoch) => request(() => void (disk.storedEpoch = Math.max(disk.storedEpoch, epoch))),
      append(entries) {
        rows.append(entries)
        return request(() => void disk.log.push(...entries))
      },
      truncate(toSequence) {
        invariant(toSequence >= commitSequence, 'truncated below what is committed')
        rows.truncate(toSequence)
        return request(() => void (disk.log = disk.log.filter((entry) => entry.lastSequence <= toSequence)))
      },
      commit(throughSequence) {
        commitSequence = Math.max(commitSequence, throughSequence)
        show()
      },
      release(throughSequence) {
        released = Math.max(released, throughSequence)
        show()
      },
      readAfter: async (sequence) => rows.read(sequence),
      get flushedSequence() { return disk.files.through.sequence },
      logged: () => ({ parts: rows.entries().map(({ batch }) => partOf(batch, 'log')).filter((part) => part !== undefined), aborted: new Set() }),
      tablesSequence: 0,
      visibleParts: () => [],
      get partsAfter() { return rows.applied },
      settle: () => undefined,
      async exportFiles() {
        const { through, rows: exported } = disk.files
        const contents = Buffer.from(JSON.stringify([...exported]))
        let isReleased = false
        exports++
        return {
          through,
          state: Buffer.from('state'),
          files: [{ name: 'rows', byteLength: contents.byteLength }],
          read: async (_name, byteOffset, byteLength) => contents.subarray(byteOffset, byteOffset + byteLength),
          release() {
            if (!isReleased) exports--
            isReleased = true
          },
        }
      },
      close: () => Promise.resolve(),
    }
  }

  return {
    flush,
    fail: (error) => events!.onFailure(error),
    async open(given) {
      events = given
      rows.load()
      commitSequence = rows.applied
      return treeOf()
    },
    async install({ through, state, files, read }: FetchedFiles) {
      invariant(Buffer.from(state).toString() === 'state' && files.length === 1, 'what was exported')
      const pieces: Uint8Array[] = []
      for await (const piece of read(files[0]!)) pieces.push(new Uint8Array(piece))
      const fetched: Files = { through, rows: new Map(JSON.parse(Buffer.concat(pieces).toString()) as [string, string][]) }
      await request(() => {
        disk.files = fetched
        disk.log = []
      })
    },
  }
}
