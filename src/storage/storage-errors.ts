/** From what the operating system says to the closed set of error codes, with the file named and what to do about it. */
import { LsmtError } from '../errors.ts'
import type { ErrorCode } from '../errors.ts'

const byErrno: Readonly<Record<string, { readonly code: ErrorCode; readonly hint: string }>> = {
  ENOENT: { code: '58P01', hint: 'the file was moved or deleted by something else' },
  ENOSPC: { code: '53100', hint: 'free some disk space' },
  EDQUOT: { code: '53100', hint: 'the quota of this user is used up: raise it or free space' },
  EFBIG: { code: '53100', hint: 'the file would be larger than this process or file system allows: raise the limit (ulimit -f)' },
  EACCES: { code: '58030', hint: 'give this user read and write permission on the data directory' },
  EPERM: { code: '58030', hint: 'the file system refused: it must allow hard links and sockets, and this user must own the data directory' },
  EROFS: { code: '58030', hint: 'the file system is mounted read-only' },
  EIO: { code: '58030', hint: 'the disk reported an error: check its health before going on' },
  EMFILE: { code: '58030', hint: 'raise the limit of open files (ulimit -n)' },
  ENFILE: { code: '58030', hint: 'raise the limit of open files of the system (fs.file-max)' },
  ENOTDIR: { code: '58030', hint: 'a file stands where a folder is needed' },
  ENOTSUP: { code: '58030', hint: 'the file system must allow hard links and sockets: put the data directory on a local disk' },
  EXDEV: { code: '58030', hint: 'the data directory must lie within one file system' },
}

/** The errno name of a Node error, or ''. */
export function errnoOf(cause: unknown): string {
  const code = (cause as { readonly code?: unknown } | null)?.code
  return typeof code === 'string' ? code : ''
}

/** An LsmtError stays as it is; anything else becomes one that names `file` and what was being done. */
export function storageError(cause: unknown, doing: string, file: string): LsmtError {
  if (cause instanceof LsmtError) return cause
  const known = byErrno[errnoOf(cause)]
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new LsmtError(known?.code ?? '58030', `cannot ${doing} ${file}: ${reason}`, { file, ...(known && { hint: known.hint }) }, cause)
}

/** Of a file that a user names: where none is, none was moved or deleted. */
export function unopenedFile(cause: unknown, path: string): LsmtError {
  return errnoOf(cause) === 'ENOENT' ? new LsmtError('58P01', `cannot open ${path}: there is no such file`, { file: path }, cause) : storageError(cause, 'open', path)
}

const unmadeHints: Readonly<Record<string, string>> = {
  ENOENT: 'its parent takes no folders, or is gone: name another place',
  EEXIST: 'a file has this name: name another place, or move the file away',
  ENOTDIR: 'a part of the path is a file: name another place, or move the file away',
  EACCES: 'this user may not make folders there: name another place, or give this user write permission on the parent',
  EPERM: 'the file system takes no folders there: name another place',
}

/** Of a folder that cannot be made, which is another matter than a file in one that is there. */
export function unmadeFolder(cause: unknown, path: string): LsmtError {
  const error = storageError(cause, 'create the folder', path), hint = unmadeHints[errnoOf(cause)]
  return hint === undefined ? error : new LsmtError(error.code, error.message, { ...error.evidence, hint }, cause)
}

export function missingObject(file: string): LsmtError {
  return new LsmtError('58P01', `no such file: ${file}`, { file })
}

export function existingObject(file: string): LsmtError {
  return new LsmtError('58030', `cannot create ${file}: it exists`, { file })
}

/** Of `Storage.appends` false. */
export function noAppends(storage: string): LsmtError {
  return new LsmtError('0A000', `${storage} has no files that grow`, { hint: 'its log is numbered objects' })
}

/** A read past the end of what is stored. */
export function shortRead(file: string, byteOffset: number, wanted: number, byteLength: number): LsmtError {
  return new LsmtError('58030', `cannot read ${wanted} bytes at ${byteOffset} of ${file}: it has ${byteLength} bytes`, {
    file, byteOffset, expected: `${byteOffset + wanted} bytes`, actual: `${byteLength} bytes`,
  })
}

export function closedError(what: string): LsmtError {
  return new LsmtError('55000', `${what} is closed`)
}
