/**
 * What reads may see of rows that one writer each changes, one statement after the other, some with an unknown outcome.
 * A register is what a statement writes as a whole: a row or several, all with the number of that statement, or none.
 *
 * A statement may be seen from its beginning on; once it was acknowledged or seen, nothing before it; one that was
 * refused, never. One whose outcome is unknown may be seen or not until a later one is, or until a new writer has opened
 * the database: what that one finds is decided.
 */

/** The number of the statement that wrote what is there; undefined: there is nothing. */
export type Seen = number | undefined

export interface Statement {
  readonly number: number
  readonly value: Seen
  /** The moment after which it can no longer be seen. */
  overMoment: number | undefined
  wasSeen: boolean
}

export interface Register {
  readonly name: string
  /** Those that may be seen, oldest first. */
  statements: Statement[]
  nextNumber: number
}

export interface Registers {
  create(name: string): Register
  /** A statement that writes its number, or deletes. */
  begin(register: Register, kind: 'write' | 'delete'): Statement
  acknowledged(register: Register, statement: Statement): void
  refused(register: Register, statement: Statement): void
  /** The moment at which a read begins. */
  now(): number
  seen(register: Register, value: Seen, startMoment: number): void
  /** What a new writer finds when nobody else has a statement under way. */
  decided(register: Register, value: Seen): void
  readonly problems: readonly string[]
}

export function createRegisters(): Registers {
  let moment = 0
  const problems: string[] = []
  const endBefore = (register: Register, number: number): void => {
    moment++
    for (const each of register.statements) if (each.number < number) each.overMoment ??= moment
    // Nobody reads for so long.
    if (register.statements.length > 200) register.statements = register.statements.filter(({ number: each, overMoment }) => overMoment === undefined || each > number - 100)
  }
  const candidates = (register: Register, value: Seen, startMoment: number): readonly Statement[] => {
    const found = register.statements.filter((each) => each.value === value && (each.overMoment === undefined || each.overMoment > startMoment))
    if (found.length === 0) problems.push(`${register.name} was seen as ${value}; possible: ${register.statements.filter(({ overMoment }) => overMoment === undefined || overMoment > startMoment).map((each) => each.value).join()}`)
    return found
  }
  return {
    create: (name) => ({ name, statements: [{ number: 0, value: undefined, overMoment: undefined, wasSeen: true }], nextNumber: 1 }),
    begin(register, kind) {
      const number = register.nextNumber++
      const statement: Statement = { number, value: kind === 'write' ? number : undefined, overMoment: undefined, wasSeen: false }
      register.statements.push(statement)
      return statement
    },
    acknowledged: (register, { number }) => endBefore(register, number),
    refused(register, statement) {
      if (statement.wasSeen && statement.value !== undefined) problems.push(`${register.name}: statement ${statement.number} was refused, and had been seen`)
      register.statements = register.statements.filter((each) => each !== statement)
    },
    now: () => moment,
    seen(register, value, startMoment) {
      const oldest = candidates(register, value, startMoment)[0]
      if (oldest === undefined) return
      oldest.wasSeen = true
      endBefore(register, oldest.number)
    },
    decided(register, value) {
      const last = candidates(register, value, moment).at(-1)
      register.statements = last === undefined ? [] : [last]
    },
    problems,
  }
}
