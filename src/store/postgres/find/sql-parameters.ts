/** Collects the parameters of one statement, all of them text (cast in SQL); the same text is sent once. */
export class SqlParameters {
  readonly #values: string[] = []
  readonly #places = new Map<string, number>()

  /** The SQL for this text, to be numbered when the statement is whole. */
  text(value: string): string {
    let place = this.#places.get(value)
    if (place === undefined) {
      place = this.#values.push(value) - 1
      this.#places.set(value, place)
    }
    return `$<${place}>::text`
  }

  /** The SQL for this value as jsonb. By way of text: a driver that knows the type would encode it a second time. */
  json(value: unknown): string {
    return `${this.text(JSON.stringify(value))}::jsonb`
  }

  /**
   * Numbers what the statement has come to use, from `first` on: a parameter that was dropped with its
   * condition must not be sent, Postgres cannot tell its type.
   */
  numbered(sql: string, first: number): { readonly text: string; readonly params: readonly string[] } {
    const used = new Map<string, number>()
    const text = sql.replace(/\$<(\d+)>/g, (_, place: string) => {
      const number = used.get(place) ?? first + used.size
      used.set(place, number)
      return `$${number}`
    })
    return { text, params: [...used.keys()].map((place) => this.#values[Number(place)]!) }
  }
}
