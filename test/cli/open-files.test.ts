/** Clients do not leave the database without files, however few the process may open. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openRaw } from '../http/raw-client.ts'
import { mainFile, query, startCli, withFolder } from './cli-process.ts'

test.skipIf(process.platform !== 'linux')('fewer connections are taken where few files may be open', async () => {
  await withFolder(async (folder) => {
    const limited = join(folder, 'limited.sh')
    await writeFile(limited, `ulimit -n 400; exec "${process.execPath}" "${mainFile}" --listen 127.0.0.1:0 --shards 1 --data-dir "${join(folder, 'data')}"`)
    const cli = startCli([limited], {}, undefined, '/bin/sh')
    const url = await cli.listening
    while (!cli.err().includes('listening')) await new Promise((resolve) => setTimeout(resolve, 10))
    expect(cli.err()).toContain('"connectionsMax":100')
    const kept = await Promise.all(Array.from({ length: 90 }, () => openRaw(url)))
    const turnedAway = await Promise.all(Array.from({ length: 300 }, () => openRaw(url)))
    await Promise.all(turnedAway.slice(20).map(({ closed }) => closed))
    for (const { socket } of [...kept, ...turnedAway]) socket.destroy()
    while ((await query(url, "INSERT INTO kv VALUES ('a', 'b')").catch(() => undefined))?.status !== 200) await new Promise((resolve) => setTimeout(resolve, 20))
    cli.child.kill('SIGTERM')
    expect(await cli.exited).toBe(0)
  })
})
