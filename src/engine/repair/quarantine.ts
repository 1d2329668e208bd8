/** Files that cannot be read are kept, byte for byte, under `quarantine/` with their names; nobody opens them again. */
import type { Storage } from '../../storage/storage.ts'

const folder = 'quarantine/'

/** Where a file goes; a later repair of a file of the same name gets a number. */
async function freeName(storage: Storage, file: string): Promise<string> {
  const taken = new Set((await storage.list(folder)).map(({ name }) => name))
  for (let number = 0; ; number++) {
    const name = `${folder}${file}${number === 0 ? '' : `.${number}`}`
    if (!taken.has(name)) return name
  }
}

const pieceBytes = 1024 * 1024

/** Copies a file there, durably; returns the copy's name. The file itself stays. */
export async function copyToQuarantine(storage: Storage, file: string): Promise<string> {
  const name = await freeName(storage, file)
  const source = await storage.open(file)
  const writer = await storage.create(name)
  try {
    for (let at = 0; at < source.byteLength; at += pieceBytes) {
      const piece = new Uint8Array(Math.min(pieceBytes, source.byteLength - at))
      await source.read(piece, at)
      await writer.append(piece)
    }
    await writer.publish()
    return name
  } catch (error) {
    await writer.abort()
    throw error
  } finally {
    await source.close()
  }
}
