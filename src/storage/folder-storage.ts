/** A folder of a storage as a storage of its own. Counts and costs are those of the whole. */
import { LsmtError } from '../errors.ts'
import { checkedName, checkedPrefix } from './storage-name.ts'
import type { AbandonedObject, Storage, StoredObject } from './storage.ts'

/** `folder` ends with '/'. Closing the view closes nothing else. */
export function folderStorage(storage: Storage, folder: string): Storage {
  const description = `${storage.description.replace(/\/$/, '')}/${folder.slice(0, -1)}`
  let isClosed = false
  const inside = (name: string): string => {
    if (isClosed) throw new LsmtError('55000', `${description} is closed`)
    return folder + name
  }
  const outside = <T extends StoredObject>(object: T): T => ({ ...object, name: object.name.slice(folder.length) })
  const abandoned = storage.abandoned?.bind(storage)
  return {
    ...storage,
    description,
    createIfAbsent: async (name, parts) => await storage.createIfAbsent(inside(checkedName(name)), parts),
    create: async (name) => await storage.create(inside(checkedName(name))),
    open: async (name, byteLength) => await storage.open(inside(checkedName(name)), byteLength),
    read: async (name) => await storage.read(inside(checkedName(name))),
    createAppend: async (name, preallocateBytes) => await storage.createAppend(inside(checkedName(name)), preallocateBytes),
    openAppend: async (name) => await storage.openAppend(inside(checkedName(name))),
    async createTemporary() {
      inside('')
      return await storage.createTemporary()
    },
    list: async (prefix) => (await storage.list(inside(checkedPrefix(prefix)))).map(outside),
    delete: async (name) => await storage.delete(inside(checkedName(name))),
    ...(abandoned !== undefined && {
      abandoned: async (ageMs: number) => (await abandoned(ageMs)).filter(({ name }) => name.startsWith(folder)).map((object): AbandonedObject => outside(object)),
    }),
    close() {
      isClosed = true
      return Promise.resolve()
    },
  }
}
