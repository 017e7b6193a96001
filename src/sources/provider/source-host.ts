import { type CheckedDefinitions, checkDefinitions } from '../forms/check-definitions.js'
import type { EntrySchemas } from '../forms/entry-schemas.js'
import { sealRules } from '../forms/parse-entries.js'
import { ParsingThread } from '../parsing/parsing-thread.js'
import type { SourceHost } from './source-provider.js'

const NO_SCHEMAS: Pick<EntrySchemas, 'faultsOf'> = { faultsOf: () => [] }

/** Creates the host that providers receive. @param folder absolute; paths in configurations are relative to it */
export function createSourceHost(
  folder: string,
  entryBytes: number,
  report: (message: string) => void = () => {},
  thread = new ParsingThread(),
): SourceHost {
  const seal = sealRules(entryBytes)
  return {
    folder,
    entryBytes,
    report,
    thread,
    give(location, definitions): Promise<CheckedDefinitions> {
      const document = { value: null, positionOf: () => ({ line: 1, column: 1 }) }
      const form = () => ({
        faults: [],
        definitions: definitions.map(({ id, kind, meta, data, line }) => ({
          id,
          kind,
          meta,
          data,
          position: { line, column: 1 },
        })),
      })
      return checkDefinitions(
        location,
        { documents: [document], faults: [] },
        { form, schemas: NO_SCHEMAS, seal, withLines: true },
      )
    },
  }
}
