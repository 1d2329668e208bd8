/**
 * Names of stored objects: checked at the door of every storage, so that no name leaves its directory, means
 * something to a shell or a bucket, or differs only in case from another. `tmp`, `lock` and `store` at the root are the
 * storages' own.
 */
import { LsmtError } from '../errors.ts'

const segment = '[a-z0-9_-][a-z0-9._-]*'
const namePattern = new RegExp(`^${segment}(/${segment})*$`)
const nameLengthMax = 512
const reservedFolders = ['tmp', 'lock', 'store']

/** Returns the name, or raises 22023. */
export function checkedName(name: string): string {
  const sane = name.length <= nameLengthMax && namePattern.test(name) && !isReserved(name)
  if (!sane) throw new LsmtError('22023', `bad storage name ${JSON.stringify(name)}: expected a relative path of [a-z0-9._-] parts`)
  return name
}

/** Whether a name is one that a storage keeps to itself. */
export function isReserved(name: string): boolean {
  return reservedFolders.includes(name.split('/', 1)[0]!)
}

/** Returns the prefix if names can start with it; otherwise raises 22023. */
export function checkedPrefix(prefix: string): string {
  if (prefix !== '') checkedName(prefix.endsWith('/') ? prefix.slice(0, -1) : prefix)
  return prefix
}

/** Folders above a name, outermost first: 'wal/0/1.wal' has 'wal' and 'wal/0'. */
export function foldersOf(name: string): readonly string[] {
  const parts = name.split('/')
  return parts.slice(0, -1).map((_, depth) => parts.slice(0, depth + 1).join('/'))
}
