import { LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { compileDependencyPatterns } from '../../core/dependency/compile-dependency-patterns.js'
import { namespaceFault } from '../../core/entry/entry-id.js'
import { kindFault } from '../../core/entry/kind.js'
import { compileBusPattern } from '../../core/events/bus-pattern.js'
import { sourceSection } from './source-section.js'

const wholeNumber = (least: number, most: number) => z.int().min(least).max(most)

const dependencyPattern = z
  .strictObject({ path: z.string(), allowWildcard: z.boolean().optional() })
  .superRefine((pattern, context) => {
    try {
      const { path, allowWildcard = false } = pattern
      compileDependencyPatterns([{ path, allowWildcard }])
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
    }
  })

const kind = z.string().superRefine((text, context) => {
  const fault = kindFault(text)
  if (fault !== undefined) context.addIssue({ code: 'custom', message: fault })
})

const namespace = z.string().superRefine((text, context) => {
  const fault = namespaceFault(text)
  if (fault !== undefined) context.addIssue({ code: 'custom', message: fault })
})

const busPattern = z.string().superRefine((text, context) => {
  try {
    compileBusPattern(text)
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message })
  }
})

function isWebAddress(text: string): boolean {
  return URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol)
}

const participant = z.strictObject({
  name: z.string().min(1).max(255),
  url: z.string().refine(isWebAddress, 'must be a URL that begins with http:// or https://'),
  kinds: z.array(busPattern).nullish(),
  timeoutSeconds: z.number().positive().max(3_600).optional(),
  onFailure: z.enum(['refuse', 'pass']).optional(),
  secret: z.string().min(1).optional(),
})

const MIB = 1024 * 1024

/** The shape of `cadastre.yaml`. */
export const configFileSchema = z.strictObject({
  dependencies: z.array(dependencyPattern).nullish(),
  limits: z
    .strictObject({
      entryBytes: wholeNumber(1, 64 * MIB).optional(),
      changesetOperations: wholeNumber(1, 1_000_000).optional(),
      changesetBytes: wholeNumber(1, 192 * MIB).optional(),
      answerBytes: wholeNumber(64 * 1024, 256 * MIB).optional(),
    })
    .nullish(),
  internalKinds: z.array(kind).nullish(),
  participants: z
    .array(participant)
    .superRefine((participants, context) => {
      const names = participants.map(({ name }) => name)
      const twice = names.find((name, i) => names.indexOf(name) !== i)
      if (twice !== undefined)
        context.addIssue({ code: 'custom', message: `two participants have the name "${twice}"` })
    })
    .nullish(),
  documents: z.strictObject({ manifest: z.string().min(1), only: z.boolean().optional() }).nullish(),
  plugins: z.array(z.string().min(1)).nullish(),
  store: z.looseObject({ provider: z.string().min(1) }).nullish(),
  bus: z.looseObject({ provider: z.string().min(1) }).nullish(),
  transactions: z
    .strictObject({
      operationSeconds: z.number().positive().max(3_600).optional(),
      totalSeconds: z.number().positive().max(86_400).optional(),
    })
    .nullish(),
  sources: sourceSection,
  federation: z
    .strictObject({
      prefix: z
        .string()
        .regex(/^[A-Z][A-Za-z0-9]{0,63}$/, 'must begin with a capital letter, and have only letters and digits')
        .nullish(),
      keep: z.array(z.string().min(1)).nullish(),
      node: z.boolean().optional(),
      compose: z
        .strictObject({
          namespaces: z.array(namespace).min(1, 'must name at least one namespace'),
          onBreaking: z.enum(['refuse', 'warn']).optional(),
        })
        .nullish(),
    })
    .nullish(),
})

export type ConfigFile = z.infer<typeof configFileSchema>

/** Reads a configuration file. Adds the problems found to `problems`, each with the file's name. */
export function readConfigFile(
  name: string,
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
  problems: string[],
): ConfigFile {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  for (const { message, pos } of [...document.errors, ...document.warnings]) {
    problems.push(`${name}, line ${lines.linePos(pos[0]).line}: ${message}`)
  }
  if (document.errors.length > 0) return {}
  let value: unknown
  try {
    // Nested aliases can expand a billion times.
    value = document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    problems.push(`${name}: ${(error as Error).message}`)
    return {}
  }
  const faults: string[] = []
  const parsed = configFileSchema.safeParse(substituted(value ?? {}, environment, '', faults))
  faults.push(...(parsed.error?.issues ?? []).flatMap(describeIssue))
  problems.push(...faults.map((fault) => `${name}: ${fault}`))
  return parsed.data ?? {}
}

/** Replaces `${NAME}` in strings by environment variables. */
function substituted(
  value: unknown,
  environment: Readonly<Record<string, string | undefined>>,
  path: string,
  faults: string[],
): unknown {
  if (typeof value === 'string') {
    return value.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, variable: string) => {
      const text = environment[variable]
      if (text === undefined)
        faults.push(
          `${path === '' ? 'the file' : path} refers to the environment variable ${variable}, which is not set`,
        )
      return text ?? ''
    })
  }
  if (Array.isArray(value)) return value.map((item, i) => substituted(item, environment, `${path}[${i}]`, faults))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      substituted(item, environment, path === '' ? key : `${path}.${key}`, faults),
    ]),
  )
}

/** Describes an issue in lines, each with its place. */
function describeIssue(issue: z.core.$ZodIssue): string[] {
  const place = issue.path.reduce<string>(
    (path, key) => (typeof key === 'number' ? `${path}[${key}]` : path === '' ? String(key) : `${path}.${String(key)}`),
    '',
  )
  const here = place === '' ? 'the file' : place
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${place === '' ? key : `${place}.${key}`} is not a known key`)
  }
  return [`${here}: ${issue.message.charAt(0).toLowerCase()}${issue.message.slice(1)}`]
}
