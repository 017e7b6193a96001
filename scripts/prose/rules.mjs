/**
 * The words and turns of phrase that the style guide rules out, each with what to write instead. Every line of code,
 * comment, document and schema description is held against them.
 *
 * `pattern` matches what is ruled out; `instead` is shown to the author; `example` is a line that must be caught.
 */
export const phraseRules = [
  { pattern: /\banew\b/i, instead: 'again', example: 'The changeset is offered anew.' },
  { pattern: /\bonce more\b/i, instead: 'again', example: 'It tries once more.' },
  { pattern: /\bunless told\b/i, instead: 'by default', example: 'Unless told otherwise, 100.' },
  { pattern: /\bfor ever\b/i, instead: 'forever', example: 'It waits for ever.' },
  { pattern: /\bof late\b/i, instead: 'recently', example: 'Entries that changed of late' },
  {
    pattern: /\b(?:takes?|taken|taking) over\b/i,
    instead: 'adopts, claims, applies',
    example: 'A gateway takes over the lease.',
  },
  { pattern: /\blets? go of\b/i, instead: 'releases, evicts, drops', example: 'The page is let go of.' },
  { pattern: /\bwho asks?\b/i, instead: 'the caller', example: 'Depends on who asks.' },
  { pattern: /\bwhoever\b/i, instead: 'any client that, the caller', example: 'Whoever waits is served.' },
  { pattern: /\bas (?:it )?was asked\b/i, instead: 'as requested', example: 'As was asked.' },
  {
    pattern: /\b(?:is|are|was|were|be|been) told\b/i,
    instead: 'is notified, reports, is sent',
    example: 'Its end is told.',
  },
  {
    pattern: /\b(?:is|are|was|were|be|been) heard\b/i,
    instead: 'is received, is noticed',
    example: 'A wake-up was heard.',
  },
  { pattern: /\bstands? there\b/i, instead: 'exists, is there', example: 'The entry stands there.' },
  { pattern: /\bthat there (?:is|are)\b/i, instead: 'existing, that exist', example: 'All that there are.' },
  { pattern: /\bunder way\b/i, instead: 'in flight, in progress', example: 'What is under way is finished.' },
  { pattern: /\bin place of\b/i, instead: 'instead of', example: 'One in place of two.' },
  { pattern: /\bsave (?:for|where|that)\b/i, instead: 'except', example: 'All save for the last.' },
  { pattern: /\bthin path\b/i, instead: 'fast path', example: 'The thin path answers.' },
  { pattern: /(?<!<)\bcircles?\b(?!Of| \{)/, instead: 'cycle', example: 'A circle is broken.' },
  { pattern: /\b(?:gathered|shared) looks?\b/i, instead: 'read-index query', example: 'A shared look at the head' },
  {
    pattern: /\ba look (?:at|that)\b/i,
    instead: 'a read-index query, a read',
    example: 'It waits for a look at the head.',
  },
  {
    pattern: /^\s*(?:\/\*\*?|\*|\/\/)\s+(?:Who|Whoever|What)\b(?!.*\?\s*(?:\*\/)?$)/,
    instead: 'a sentence with a subject and a verb, or a plain noun',
    example: '/** What is not kept is read. */',
  },
]

/** Words that no identifier or file name has as a part: these names cannot be searched for. */
export const identifierRules = [
  { pattern: /^(?:kept|remembered)$/, instead: 'cached, stored, retained', example: 'keptBytes' },
  { pattern: /^(?:told|teller)$/, instead: 'notified, reported', example: 'toldOf' },
  { pattern: /^seats?$/, instead: 'slot, recipient', example: 'followerSeats' },
  { pattern: /^stretch(?:es)?$/, instead: 'batch, range', example: 'stretchOf' },
  { pattern: /^turns$/, instead: 'slices, ticks, rounds', example: 'deliveryTurns' },
  { pattern: /^standing$/, instead: 'state', example: 'readStanding' },
  { pattern: /^looks?$/, instead: 'read, readIndex', example: 'sharedLook' },
  { pattern: /^circles?$/, instead: 'cycle', example: 'circlesIn' },
  { pattern: /^(?:whoever|anew)$/, instead: 'a field term', example: 'tryAnew' },
]
