/** Transactions: a text from BEGIN to COMMIT is all or nothing, sees one snapshot, and has the tables that it writes for itself; so is what a function does. */
import { LsmtError, open } from 'lsmt'

const db = await open({ storage: 'memory' })
await db.query(`
  CREATE TABLE accounts (name TEXT PRIMARY KEY, balance NUMERIC(12,2) NOT NULL);
  CREATE TABLE transfers (at TIMESTAMP, sender TEXT, receiver TEXT, amount NUMERIC(12,2));
  INSERT INTO accounts VALUES ('ada', 100), ('bob', 20)`)

// The division fails where the sender has too little, and the whole transfer with it.
const transfer = `
  BEGIN;
  UPDATE accounts SET balance = balance - :amount WHERE name = :sender;
  SELECT 1 / (CASE WHEN balance < 0 THEN 0 ELSE 1 END) FROM accounts WHERE name = :sender;
  UPDATE accounts SET balance = balance + :amount WHERE name = :receiver;
  INSERT INTO transfers VALUES (now(), :sender, :receiver, :amount);
  COMMIT`

async function show(): Promise<void> {
  const { rows } = await db.query('SELECT name, balance FROM accounts ORDER BY name')
  console.log(rows.map(({ name, balance }) => `${String(name)} ${String(balance)}`).join(', '))
}

await db.query(transfer, { sender: 'ada', receiver: 'bob', amount: '30.50' })
await show()
await db.query(transfer, { sender: 'bob', receiver: 'ada', amount: '1000' }).catch((error: unknown) => {
  if (error instanceof LsmtError) console.log('refused:', error.code)
})
await show()
// Many at once: none is lost.
await Promise.all(Array.from({ length: 20 }, () => db.query(transfer, { sender: 'ada', receiver: 'bob', amount: '1' })))
await show()
console.log((await db.query('SELECT COUNT(*) AS n, SUM(amount) AS moved FROM transfers')).rows)

// A function decides between statements; what it throws leaves nothing behind.
async function withdraw(name: string, amount: number): Promise<number> {
  return await db.transaction({ write: ['accounts'] }, async (tx) => {
    const account = await tx.table('accounts').get(name)
    const left = Number(account?.['balance'] ?? 0) - amount
    if (left < 0) throw new Error(`${name} has too little`)
    await tx.query('UPDATE accounts SET balance = $1 WHERE name = $2', [left, name])
    return left
  })
}
console.log(await withdraw('bob', 20))
console.log(await withdraw('bob', 1000).catch((error: unknown) => (error as Error).message))
await show()

await db.close()

// prints:
// ada 69.50, bob 50.50
// refused: 22012
// ada 69.50, bob 50.50
// ada 49.50, bob 70.50
// [ { n: 21, moved: '50.50' } ]
// 50.5
// bob has too little
// ada 49.50, bob 50.50
