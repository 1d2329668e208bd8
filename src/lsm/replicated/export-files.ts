/** The files of a replica for another one that lacks what the log no longer has. Nothing but what is visible is in them, and so all of it committed. */
import { LsmtError } from '../../errors.ts'
import { tableFileName } from '../table/table-file-name.ts'
import type { Tree } from '../tree.ts'
import { encodeExported } from './exported-state.ts'
import { epochAt } from './replica-state.ts'
import type { ReplicaState } from './replica-state.ts'
import type { ExportedFiles } from './replicated-tree.ts'
import { trimLog } from './trim.ts'

export async function exportFiles(replica: ReplicaState, tree: Tree): Promise<ExportedFiles> {
  const { tree: { visibleSequence: sequence, options: { kernel, shard } }, holds, parts } = replica
  // From this step on: what follows the files must be there when somebody has them.
  const hold = { sequence }
  holds.add(hold)
  const letGo = (): void => {
    if (holds.delete(hold) && !replica.tree.isClosed) trimLog(replica)
  }
  try {
    const { manifest, release } = await tree.checkpoint()
    const through = { sequence, epoch: epochAt(replica.epochs, sequence) }
    const files = manifest.tables.flatMap(({ levels }) => levels.flat()).map(({ fileNumber, byteLength }) => ({ name: tableFileName(shard, fileNumber), byteLength }))
    return {
      through,
      state: encodeExported(kernel, { through, manifest, parts: parts.visible().filter(({ baseSequence }) => baseSequence <= sequence) }),
      files,
      read: (name, byteOffset, byteLength) => readExported(replica, files.map((file) => file.name), name, byteOffset, byteLength),
      release() {
        release()
        letGo()
      },
    }
  } catch (error) {
    letGo()
    throw error
  }
}

async function readExported({ options: { storage } }: ReplicaState, names: readonly string[], name: string, byteOffset: number, byteLength: number): Promise<Uint8Array> {
  if (!names.includes(name)) throw new LsmtError('58P01', `${name} is not among the exported files`, { file: name })
  const object = await storage.open(name)
  try {
    const bytes = new Uint8Array(byteLength)
    await object.read(bytes, byteOffset)
    return bytes
  } finally {
    await object.close()
  }
}
