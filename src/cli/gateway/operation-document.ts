import { readFile } from 'node:fs/promises'

/** The documents that clients of the gateway share; the package carries them beside `dist` and `src`. */
const OPERATIONS = new URL('../../../schema/operations/', import.meta.url)

/** The text of `schema/operations/<name>.graphql`. */
export async function operationDocument(name: string): Promise<string> {
  return readFile(new URL(`${name}.graphql`, OPERATIONS), 'utf8')
}
