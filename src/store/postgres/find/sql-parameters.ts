/** Collects the parameters of one statement. All are texts, cast in SQL. Equal texts are sent once. */
export class SqlParameters {
  readonly #values: string[] = []
  readonly #places = new Map<string, number>()

  /** The SQL of a text parameter. It gets its number when the statement is complete. */
  text(value: string): string {
    let place = this.#places.get(value)
    if (place === undefined) {
      place = this.#values.push(value) - 1
      this.#places.set(value, place)
    }
    return `$<${place}>::text`
  }

  /** The SQL of a jsonb parameter. It is sent as text, because the driver would encode jsonb a second time. */
  json(value: unknown): string {
    return `${this.text(JSON.stringify(value))}::jsonb`
  }

  /**
   * Numbers the parameters that the statement uses, from `first` on. A parameter that was dropped with its condition must not
   * be sent, because Postgres cannot determine its type.
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
