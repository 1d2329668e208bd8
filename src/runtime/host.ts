/** What this process runs on, as far as rooms below the composition root may know. */
import { pid, platform } from 'node:process'

export const processId: number = pid
export const isLinux: boolean = platform === 'linux'
