/** The program as data: its commands and flags, and what these come to, with nothing run. */
import { PassThrough } from 'node:stream'
import type { Command } from 'commander'
import { createProgram } from '../../../src/cli/program.ts'
import { systemClock } from '../../../src/runtime/clock.ts'

const stream = new PassThrough()

export function programHere(): Command {
  return createProgram({
    version: '0.0.0', environment: process.env, clock: systemClock, terminal: { input: stream, output: stream, error: stream }, stopRequested: new Promise(() => {}),
    onReload() {}, printLine() {}, printError() {}, openEngine: () => Promise.reject(new Error('nothing is run here')), openCluster: () => Promise.reject(new Error('nothing is run here')),
  }, () => {})
}

/** A command after its arguments were read, whatever its required ones are; `command.opts()` are its flags. */
export async function parsedHere(name: string, args: readonly string[]): Promise<Command> {
  const program = programHere()
  const command = program.commands.find((each) => each.name() === name)!
  command.action(() => {})
  await program.parseAsync([name, ...command.registeredArguments.filter(({ required }) => required).map(({ argChoices }) => argChoices?.[0] ?? 'x'), ...args], { from: 'user' })
  return command
}
