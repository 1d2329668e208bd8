/** Where a copy of a database goes: a place of its own, read back when all is there. */
import { createHash } from 'node:crypto'
import { LsmtError } from '../../errors.ts'
import type { BackupFile, BackupList } from '../../http/backup/archive.ts'
import type { KernelKind } from '../../settings.ts'
import { isEmptyDirectory } from '../../storage/local-probe.ts'
import { createMemoryStorage } from '../../storage/memory-storage.ts'
import { addressName, withStorage } from '../../storage/open-storage.ts'
import type { Storage } from '../../storage/storage.ts'
import { opening } from '../target/opening.ts'
import type { PlaceAddress } from '../target/storage-flags.ts'
import { verifyStorage } from '../verify.ts'
import { checkFile } from './receive-archive.ts'

/** 58030 when something is there already. */
export async function assertEmpty(address: PlaceAddress, hint: string): Promise<void> {
  const isEmpty = address.kind === 'local' ? await isEmptyDirectory(address.directory) : await opening(withStorage(address, 'write', async (storage) => (await storage.list('')).length === 0))
  if (!isEmpty) throw new LsmtError('58030', `${addressName(address)} is not empty`, { hint })
}

/** XX001 with the first finding when the files, as they are read back, are not those of the list, or not those of a sound database. */
export async function assertSound(storage: Storage, { files }: BackupList, kernels: KernelKind, what: string): Promise<void> {
  const unread = new Map(files.map((file) => [file.name, file]))
  let first: string | undefined
  const { findings } = await verifyStorage(checkedAgainst(storage, unread), kernels, ({ file, message }) => {
    first ??= `${file}: ${message}`
  })
  if (first !== undefined) throw new LsmtError('XX001', `${what} was verified and is damaged, ${findings} findings; the first is ${first}`)
  for (const file of unread.values()) await readWhole(storage, file)
}

/** The storage, read a whole file at a time, each of which must be as it is listed; those that were read leave the list. */
function checkedAgainst(storage: Storage, unread: Map<string, BackupFile>): Storage {
  const listed = new Map(unread)
  const read = async (name: string): Promise<Uint8Array> => {
    const file = listed.get(name)
    if (file === undefined) return await storage.read(name)
    const bytes = await readWhole(storage, file)
    unread.delete(name)
    return bytes
  }
  return {
    ...storage,
    read,
    async open(name) {
      const held = createMemoryStorage()
      await held.createIfAbsent(name, [await read(name)])
      return await held.open(name)
    },
  }
}

async function readWhole(storage: Storage, file: BackupFile): Promise<Uint8Array> {
  const bytes = await storage.read(file.name)
  checkFile(file, { name: file.name, byteLength: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') })
  return bytes
}
