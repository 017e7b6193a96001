/** The way in which results of a subscription are written to a response. */
export interface StreamFormat {
  /** Identifies the bytes of its results, which streams may share. */
  readonly key: string
  readonly contentType: string
  /** Written at once, because browsers resolve `fetch` only when a part of the body has arrived. */
  readonly opening: string
  readonly keepAlive: string
  /** Written around each result. */
  readonly before: string
  readonly after: string
  /** Writes the errors that end the stream. */
  failure(errors: string): string
  readonly ending: string
  /** Written instead of the ending when the gateway stops, so that clients reconnect. */
  stopped(errors: string): string
}

/**
 * The "distinct connections mode" of GraphQL over SSE. A stopping gateway sends no `complete`: the client sees the
 * connection end.
 */
export const SERVER_SENT_EVENTS: StreamFormat = {
  key: 'sse',
  contentType: 'text/event-stream; charset=utf-8',
  opening: ':\n\n',
  keepAlive: ':\n\n',
  before: 'event: next\ndata: ',
  after: '\n\n',
  failure: (errors) => `event: next\ndata: {"errors":${errors}}\n\n`,
  ending: 'event: complete\ndata:\n\n',
  stopped: () => '',
}

const PART = '\r\ncontent-type: application/json\r\n\r\n'
/** Ends a part. Clients read a part only when its end has arrived, so it comes with the part and not with the next one. */
const END_OF_PART = '\r\n--graphql'

/**
 * Multipart subscriptions, as Apollo's clients request them. Errors beside the payload are of the transport.
 * https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol
 */
export const MULTIPART: StreamFormat = {
  key: 'multipart',
  contentType: 'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"',
  opening: `--graphql${PART}{}${END_OF_PART}`,
  keepAlive: `${PART}{}${END_OF_PART}`,
  before: `${PART}{"payload":`,
  after: `}${END_OF_PART}`,
  failure: transportErrors,
  ending: '--\r\n',
  stopped: (errors) => `${transportErrors(errors)}--\r\n`,
}

function transportErrors(errors: string): string {
  return `${PART}{"payload":null,"errors":${errors}}${END_OF_PART}`
}

/** Returns a function that writes results in a format. */
export function framesIn({ before, after }: StreamFormat): (texts: readonly Buffer[]) => Buffer {
  const [begin, end] = [Buffer.from(before), Buffer.from(after)]
  return (texts) => Buffer.concat(texts.flatMap((text) => [begin, text, end]))
}
