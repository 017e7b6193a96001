/** The meanings of a code in each place where clients can see it. A code without a place is not shown there. */
export interface CodeRow {
  /** As the code of a problem: why a write was refused. */
  readonly problem?: string
  /** As `extensions.code` of an error. */
  readonly error?: string
  /** As the code that `cadastre --json` prints for a failure of its own. */
  readonly cli?: string
  /** Which part throws the error. Default: only the registry. */
  readonly thrownBy?: 'server' | 'registry and server'
  /** Whether the same request may succeed later without a change. The registry retries reads by itself. */
  readonly isTransient?: true
  /** Whether the gateway did not serve the request. The command line then exits with 3. */
  readonly isOutage?: true
  /** Whether the contract reserves the code and nothing uses it yet. */
  readonly isReserved?: true
}

/** All codes that clients can see. Types, the GraphQL enum, exit codes and docs/error-codes.md follow from this table. */
export const CODES = {
  EMPTY_CHANGESET: { problem: 'The changeset has no operations.' },
  DUPLICATE_OPERATION: {
    problem: 'The changeset has another operation for the same entry. Only a delete with a create is allowed.',
  },
  INVALID_ENTRY: { problem: 'The id, kind or content breaks a rule or cannot be stored unchanged.' },
  ENTRY_EXISTS: { problem: 'A create names an entry that already exists.' },
  ENTRY_NOT_FOUND: {
    problem: 'An update or delete names an entry that does not exist.',
    error: 'An instance of a missing entry was requested.',
    cli: 'The entry does not exist.',
  },
  KIND_MISMATCH: { problem: 'An update has another kind than the entry.' },
  CONFLICT: {
    problem:
      'The entry has changed since the revision that the caller read, or keeps changing while participants are asked.',
  },
  HEAD_MOVED: { problem: 'The head is not the expected version.' },
  VERSION_NOT_FOUND: { problem: 'The version does not exist.', error: 'The version does not exist.' },
  REVISION_NOT_FOUND: { problem: 'The revision does not exist yet.', error: 'The revision does not exist yet.' },
  COMPACTED: {
    problem: 'The version or revision was removed by compaction.',
    error: 'The version or revision was removed by compaction.',
  },
  REJECTED: { problem: 'A participant rejected the operation.' },
  PARTICIPANT_TIMEOUT: { problem: 'A participant did not answer in time.' },
  PARTICIPANT_FAILED: { problem: 'A participant could not be reached, or its answer was invalid.' },
  ENTRY_IN_USE: { problem: 'The entry has live instances.' },
  FORBIDDEN: {
    problem: 'The author is not allowed to do this. Reserved: this version does not use it.',
    isReserved: true,
  },
  TOO_LARGE: {
    problem: 'The entry or changeset exceeds a limit.',
    error: 'A body, an argument or an answer exceeds a limit.',
    cli: 'A value is nested too deeply to be written as YAML.',
    thrownBy: 'registry and server',
  },
  IDEMPOTENCY_KEY_REUSED: { problem: 'The idempotency key was already used for another input.' },

  BAD_USER_INPUT: { error: 'An argument, variable or header is invalid.', thrownBy: 'registry and server' },
  INVALID_CRITERIA: { error: '`find` or `where` cannot be understood. The message names the key and the reason.' },
  INVALID_CURSOR: { error: 'The cursor belongs to another list, order or registry, or is not a cursor.' },
  HISTORY_NOT_KEPT: { error: 'The registry stores no history (`CADASTRE_STORE=none`).' },
  TAG_NOT_FOUND: { error: 'There is no tag of this name.', cli: 'There is no tag of this name.' },
  TAG_FIXED: { error: 'The tag cannot be moved or deleted.' },
  TAG_MOVED: { error: 'The tag is not on the expected version.' },
  PINNED_BY_TAG: {
    error: 'Compaction would remove a tagged version. `tag`, `version` and `revision` name it.',
  },
  HISTORY_DAMAGED: {
    error: 'The stored history is damaged, so it is not compacted. `cadastre verify` names the damage.',
  },
  SOURCE_NOT_FOUND: { error: 'No source of this name is configured.' },
  INSTANCE_EXISTS: { error: 'A live instance of the entry has this name.' },
  INSTANCE_EXPIRED: { error: 'The instance expired, was released or was ended. Acquire it again.' },
  TIMEOUT: {
    error: 'The request took too long and changed nothing. Ask for less.',
    cli: 'The gateway did not answer in time.',
    thrownBy: 'registry and server',
    isTransient: true,
  },
  UNAVAILABLE: {
    error: 'The store is unavailable, or the gateway is full or stopping. Nothing was changed. Try again.',
    thrownBy: 'registry and server',
    isTransient: true,
    isOutage: true,
  },
  OUTCOME_UNKNOWN: {
    error: 'The write may have been applied. Send it again with the same `idempotencyKey`.',
    thrownBy: 'registry and server',
    isOutage: true,
  },
  GRAPHQL_PARSE_FAILED: { error: 'The document is not GraphQL.', thrownBy: 'server' },
  GRAPHQL_VALIDATION_FAILED: { error: 'The document does not fit the schema.', thrownBy: 'server' },
  QUERY_TOO_COMPLEX: { error: 'The document exceeds a limit.', thrownBy: 'server' },
  PERSISTED_QUERY_NOT_FOUND: {
    error: 'No document with this hash was sent to this gateway yet. Clients then send the document with its hash.',
    thrownBy: 'server',
  },
  PERSISTED_QUERY_NOT_SUPPORTED: {
    error: 'The request names a document in a way that the gateway does not know.',
    thrownBy: 'server',
  },
  DOCUMENT_NOT_FOUND: { error: 'The manifest of documents has none with this id.', thrownBy: 'server' },
  DOCUMENT_NOT_ALLOWED: {
    error: 'The gateway executes only documents of its manifest (`documents.only`), and this is none of them.',
    thrownBy: 'server',
  },
  INTERNAL_SERVER_ERROR: {
    error: 'A fault of the gateway. Its log has it under the `id` beside the code.',
    thrownBy: 'server',
  },

  USAGE: { cli: 'The command line is wrong.' },
  CONFIGURATION: { cli: 'The configuration is invalid.' },
  REFUSED: { cli: 'The write was refused. `problems` has the reasons.' },
  INVALID_FILES: { cli: 'Some definitions cannot be used, so nothing was applied. `failures` lists them.' },
  NOT_EMPTY: { cli: 'The target folder is not empty.' },
  NOT_A_FOLDER: { cli: 'The target folder is a file or device.' },
  NOT_STARTED: { cli: 'The gateway cannot start.' },
  STORE: { cli: 'The store cannot be opened.' },
  NOT_A_GATEWAY: { cli: 'The URL answers, but not like a gateway.' },
  UNREACHABLE: {
    cli: 'The gateway cannot be reached. A code of the network, such as `ECONNREFUSED`, replaces this one.',
  },
  ERROR: { cli: 'The gateway reports an error without a code.' },
  INTERNAL: { cli: 'A fault of the command line.' },
} as const satisfies Readonly<Record<string, CodeRow>>

type Codes = typeof CODES
export type Code = keyof Codes
/** The codes whose rows have these members. */
type CodesWith<Row> = { [Name in Code]: Codes[Name] extends Row ? Name : never }[Code]
type ThrownBy<Part extends NonNullable<CodeRow['thrownBy']>> = CodesWith<{ readonly thrownBy: Part }>

/** Codes of problems: why a write was refused. */
export type ProblemCode = CodesWith<{ readonly problem: string }>
/** Codes of errors that the registry throws. */
export type ErrorCode = Exclude<CodesWith<{ readonly error: string }>, ThrownBy<'server'>>
/** Codes of requests that are refused before they reach the registry, or that it did not finish. */
export type RequestErrorCode = ThrownBy<'server' | 'registry and server'>
/** Codes of the command line's own failures. */
export type CliCode = CodesWith<{ readonly cli: string }>

const ROWS = Object.entries(CODES) as readonly [Code, CodeRow][]

/** The codes of a place with their meanings, in the order of the table. */
export function codesOf(place: 'problem' | 'error' | 'cli'): readonly { code: Code; meaning: string }[] {
  return ROWS.flatMap(([code, row]) => {
    const meaning = row[place]
    return meaning === undefined ? [] : [{ code, meaning }]
  })
}

/** The registry's errors after which the same request may succeed later without a change. */
export const TRANSIENT_CODES = ROWS.flatMap(([code, row]) => (row.isTransient === true ? [code as ErrorCode] : []))

/** Whether the gateway did not serve the request. The command line then exits with 3. */
export function isOutageCode(code: string): boolean {
  return Object.hasOwn(CODES, code) && (CODES[code as Code] as CodeRow).isOutage === true
}
