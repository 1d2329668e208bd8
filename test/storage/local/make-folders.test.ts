import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { openLocalStorage } from '../../../src/storage/local-storage.ts'
import { makeFolders } from '../../../src/storage/local/make-folders.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

function newDirectory(): string {
  const directory = temporaryDirectory()
  onTestFinished(() => directory.remove())
  return directory.path
}

it('makes a folder with those above it, and says which was the outermost', async () => {
  const root = newDirectory()
  expect(await makeFolders(join(root, 'a/b/c'))).toBe(join(root, 'a'))
  expect(await makeFolders(join(root, 'a/b/d'))).toBe(join(root, 'a/b/d'))
  expect(await makeFolders(join(root, 'a/b/d'))).toBeUndefined()
  expect(existsSync(join(root, 'a/b/c'))).toBe(true)
})

it('makes what several ask for at a time', async () => {
  const root = newDirectory()
  await Promise.all(Array.from({ length: 8 }, () => makeFolders(join(root, 'x/y/z'))))
  expect(existsSync(join(root, 'x/y/z'))).toBe(true)
})

it('fails where a file stands in the way', async () => {
  const root = newDirectory()
  writeFileSync(join(root, 'file'), '')
  await expect(makeFolders(join(root, 'file/below'))).rejects.toMatchObject({ code: 'ENOTDIR' })
  await expect(makeFolders(join(root, 'file'))).rejects.toMatchObject({ code: 'EEXIST' })
})

it.runIf(existsSync('/proc/self'))('fails at once where nothing can be made', async () => {
  await expect(openLocalStorage('/proc/none/data')).rejects.toMatchObject({ code: '58P01' })
})
