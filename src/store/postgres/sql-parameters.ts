/** Collects the parameters of one statement, all of them text (cast in SQL); the same text is sent once. */
export class SqlParameters {
  readonly #values: string[] = []
  readonly #numbers = new Map<string, number>()

  constructor(readonly first: number) {}

  /** The SQL for this text, e.g. `$3::text`. */
  text(value: string): string {
    let number = this.#numbers.get(value)
    if (number === undefined) {
      number = this.first + this.#values.length
      this.#numbers.set(value, number)
      this.#values.push(value)
    }
    return `$${number}::text`
  }

  /** The SQL for this value as jsonb. By way of text: a driver that knows the type would encode it a second time. */
  json(value: unknown): string {
    return `${this.text(JSON.stringify(value))}::jsonb`
  }

  get values(): readonly string[] {
    return this.#values
  }
}
