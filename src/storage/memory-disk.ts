/** Bytes by name in memory: the contents behind memory storage, and behind the disk with crashes that tests use. */

export interface MemoryFile {
  /** Room for the bytes; grows by doubling. */
  room: Uint8Array
  byteLength: number
}

export type MemoryDisk = Map<string, MemoryFile>

export function concatenated(parts: readonly Uint8Array[]): MemoryFile {
  const file: MemoryFile = { room: new Uint8Array(0), byteLength: 0 }
  for (const part of parts) writeAt(file, part, file.byteLength)
  return file
}

export function zeroFile(byteLength: number): MemoryFile {
  return { room: new Uint8Array(byteLength), byteLength }
}

export function copyFile(file: MemoryFile): MemoryFile {
  return { room: file.room.slice(0, file.byteLength), byteLength: file.byteLength }
}

/** Writes at any offset; a gap before it reads as zeros. */
export function writeAt(file: MemoryFile, bytes: Uint8Array, byteOffset: number): void {
  const end = byteOffset + bytes.length
  if (end > file.room.length) {
    const room = new Uint8Array(Math.max(end, file.room.length * 2))
    room.set(file.room.subarray(0, file.byteLength))
    file.room = room
  }
  file.room.set(bytes, byteOffset)
  file.byteLength = Math.max(file.byteLength, end)
}
