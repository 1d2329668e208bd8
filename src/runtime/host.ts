/** What this process runs on, as far as rooms below the composition root may know. */
import { env, pid, platform } from 'node:process'

export const processId: number = pid
export const isLinux: boolean = platform === 'linux'

/** Runs something with a variable of the environment set, for libraries that can be told so and in no other way. */
export function withVariable<T>(name: string, value: string, run: () => T): T {
  const before = env[name]
  env[name] = value
  try {
    return run()
  } finally {
    if (before === undefined) delete env[name]
    else env[name] = before
  }
}
