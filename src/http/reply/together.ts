/** Answers that leave together: see `Reply.sendTogether`. */

/** An answer that is made, and how it leaves. */
export interface ReadyAnswer {
  leave(): void
}

let ready: ReadyAnswer[] = []

export function leaveTogether(answer: ReadyAnswer): void {
  if (ready.push(answer) === 1) setImmediate(leaveAll)
}

function leaveAll(): void {
  const leaving = ready
  ready = []
  for (const answer of leaving) answer.leave()
}
