import { existsSync, readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { dirname, resolve } from 'node:path'
import { DEFAULT_DEPENDENCY_PATTERNS } from '../../core/dependency/default-dependency-patterns.js'
import type { DependencyPattern } from '../../core/dependency/reference.js'
import { namespaceFault } from '../../core/entry/entry-id.js'
import type { SubgraphOptions } from '../../graphql/federation/subgraph-schema.js'
import type { ComposeOptions } from '../../graphql/supergraph/compose-options.js'
import { REGISTRY_LIMITS, type RegistryLimits } from '../../registry/create-registry.js'
import { decodeText } from '../../sources/forms/decode-text.js'
import { BACKENDS, type Backend } from '../../store/contract/history.js'
import {
  ALL_OPTIMIZATIONS,
  OPTIMIZATION_NAMES,
  type OptimizationSwitches,
  parseWithout,
} from '../../store/contract/optimizations.js'
import { LOG_LEVELS, type LogLevel } from '../observing/log.js'
import { ConfigError } from './config-error.js'
import { type ConfigFile, readConfigFile } from './config-file.js'
import { type SourceConfig, sourceConfigs } from './source-section.js'
import { writableByAll } from './writable-by-others.js'

/** The configuration of a gateway. */
export interface GatewayConfig {
  readonly host: string
  /** 0 picks a free port. */
  readonly port: number
  readonly backend: Backend
  /** Only for the backend `postgres`. */
  readonly databaseUrl: string | null
  readonly dataDir: string
  /** A plugin's store, which replaces the backend. */
  readonly store: PluggedConfig | null
  /** Null means the store's own bus. */
  readonly bus: PluggedConfig | null
  readonly logLevel: LogLevel
  readonly introspection: boolean
  /** URLs that clients know the gateway by, in addition to its addresses and the host that it listens on. */
  readonly publicUrls: readonly string[]
  /** Origins of pages that may use the gateway, in addition to its own and those of this machine. `*` means all. */
  readonly allowedOrigins: readonly string[]
  readonly dependencies: readonly DependencyPattern[]
  readonly limits: RegistryLimits
  /** Bytes of JSON in one answer; null for the default. */
  readonly answerBytes: number | null
  /** Kinds whose entries are not offered to participants. */
  readonly internalKinds: readonly string[]
  /** Webhooks that decide on changesets before they are applied. */
  readonly participants: readonly WebhookConfig[]
  /** Absolute paths of modules that register participants, providers and dependency patterns. */
  readonly plugins: readonly string[]
  /** Sources of entries. */
  readonly sources: readonly SourceConfig[]
  /** Folder of the configuration file. Paths in the file are relative to it. */
  readonly configFolder: string
  readonly transactions: { readonly operationSeconds: number; readonly totalSeconds: number }
  /** The subgraph for federated gateways; null serves none. */
  readonly federation: SubgraphOptions | null
  /** Documents that clients name by id; null if there are none. */
  readonly documents: DocumentsConfig | null
  /** The namespaces whose subgraphs are composed to a supergraph; null composes none. */
  readonly compose: ComposeOptions | null
  /** Which optimizations are on: all of them, except in benchmarks and tests. */
  readonly optimizations: OptimizationSwitches
}

/** A store or bus from a provider. The provider checks the options. */
export interface PluggedConfig {
  readonly provider: string
  readonly options: Readonly<Record<string, unknown>>
}

export interface DocumentsConfig {
  /** Absolute path of the manifest. */
  readonly manifest: string
  /** Whether all other documents are refused. */
  readonly only: boolean
}

export interface WebhookConfig {
  readonly name: string
  readonly url: string
  /** Bus patterns of kinds of entry. */
  readonly kinds: readonly string[]
  readonly timeoutSeconds: number
  readonly onFailure: 'refuse' | 'pass'
  /** Signs the requests to the webhook. Null sends them unsigned. */
  readonly secret: string | null
}

export type Environment = Readonly<Record<string, string | undefined>>

const INTERNAL_KINDS = ['registry.entry', 'ns.requirement', 'ns.dependency', 'ns.definition']
const SWITCH: Readonly<Record<string, boolean>> = { on: true, true: true, 1: true, off: false, false: false, 0: false }

/** Reads the environment and the configuration file. @throws ConfigError that lists every problem */
export function loadConfig(environment: Environment = process.env, folder = process.cwd()): GatewayConfig {
  const problems: string[] = []
  const read = <Value>(
    name: string,
    fallback: Value,
    parse: (text: string) => Value | undefined,
    wanted: string,
    /** Whether its text may hold a password, which must not end up in a log. */
    isSecret = false,
  ): Value => {
    const text = environment[name]
    if (text === undefined || text === '') return fallback
    const value = parse(text)
    if (value === undefined) problems.push(`${name} is ${isSecret ? 'not valid' : `"${text}"`}. It must be ${wanted}.`)
    return value ?? fallback
  }
  const databaseUrl = read(
    'DATABASE_URL',
    null,
    postgresUrl,
    'a URL like postgres://user:password@host:5432/database',
    true,
  )
  const hasUrl = (environment['DATABASE_URL'] ?? '') !== ''
  const backend = read(
    'CADASTRE_STORE',
    hasUrl ? 'postgres' : 'embedded',
    oneOf(BACKENDS),
    `one of ${BACKENDS.join(', ')}`,
  )
  if (backend === 'postgres' && !hasUrl) problems.push('CADASTRE_STORE is "postgres", which needs DATABASE_URL.')
  const host = read('HOST', '127.0.0.1', hostName, 'an IP address or a host name')
  const port = read('PORT', 4000, portNumber, 'a whole number from 0 (any free port) to 65535')
  const dataDir = resolve(folder, environment['CADASTRE_DATA_DIR'] || '.cadastre')
  const logLevel = read('CADASTRE_LOG_LEVEL', 'info', oneOf(LOG_LEVELS), `one of ${LOG_LEVELS.join(', ')}`)
  const introspection = read('CADASTRE_INTROSPECTION', true, (text) => SWITCH[text.toLowerCase()], 'on or off')
  const isFederated = read<boolean | null>(
    'CADASTRE_FEDERATION',
    null,
    (text) => SWITCH[text.toLowerCase()],
    'on or off',
  )
  const composed = read('CADASTRE_COMPOSE', null, namespaces, 'namespaces like shop, separated by commas')
  const allowedOrigins = read(
    'CADASTRE_ALLOWED_ORIGINS',
    [],
    origins,
    'origins like https://app.example.com, separated by commas, or *',
  )
  const publicUrls = read(
    'CADASTRE_PUBLIC_URL',
    [],
    httpUrls,
    'a URL like https://registry.example.com, or several, separated by commas',
  )
  const optimizations = read(
    'CADASTRE_WITHOUT',
    ALL_OPTIMIZATIONS,
    optimizationsWithout,
    `names out of ${OPTIMIZATION_NAMES.join(', ')}, separated by commas`,
  )
  const file = configFile(environment, folder, problems)
  const ours = BACKENDS.find((each) => each === file.store?.provider)
  if (ours !== undefined)
    problems.push(
      `store.provider is "${ours}", which is built in. Choose it by CADASTRE_STORE${ours === 'postgres' ? ' and DATABASE_URL' : ''}.`,
    )
  if (problems.length > 0) throw new ConfigError(problems)
  const configFolder = dirname(configPath(environment, folder))
  const { answerBytes, ...limits } = file.limits ?? {}
  const transactions = { operationSeconds: 30, totalSeconds: 300, ...given(file.transactions) }

  return {
    host,
    port,
    backend,
    databaseUrl,
    dataDir,
    logLevel,
    introspection,
    publicUrls,
    allowedOrigins,
    dependencies:
      file.dependencies?.map(({ path, allowWildcard = false }) => ({ path, allowWildcard })) ??
      DEFAULT_DEPENDENCY_PATTERNS,
    limits: { ...REGISTRY_LIMITS, ...given(limits) },
    answerBytes: answerBytes ?? null,
    internalKinds: file.internalKinds ?? INTERNAL_KINDS,
    store: plugged(file.store),
    bus: plugged(file.bus),
    transactions,
    participants: (file.participants ?? []).map(({ name, url, kinds, timeoutSeconds, onFailure, secret }) => ({
      name,
      url,
      kinds: kinds ?? ['**'],
      timeoutSeconds: timeoutSeconds ?? transactions.operationSeconds,
      onFailure: onFailure ?? 'refuse',
      secret: secret ?? null,
    })),
    plugins: (file.plugins ?? []).map((path) => resolve(configFolder, path)),
    sources: sourceConfigs(file.sources),
    federation: federation(isFederated, file.federation),
    documents: file.documents
      ? { manifest: resolve(configFolder, file.documents.manifest), only: file.documents.only ?? false }
      : null,
    compose: compose(composed, file.federation?.compose),
    configFolder,
    optimizations,
  }
}

/** The environment decides whether there is a subgraph, the file how it differs from the schema. */
function federation(isOn: boolean | null, section: ConfigFile['federation']): SubgraphOptions | null {
  if (!(isOn ?? (section !== null && section !== undefined))) return null
  return { prefix: section?.prefix ?? null, keep: section?.keep ?? [], node: section?.node ?? false }
}

/** The environment decides which namespaces are composed, the file what a breaking change does. */
function compose(
  named: readonly string[] | null,
  section: NonNullable<ConfigFile['federation']>['compose'],
): ComposeOptions | null {
  const namespaces = named ?? section?.namespaces ?? null
  return namespaces === null ? null : { namespaces, onBreaking: section?.onBreaking ?? 'refuse' }
}

function plugged(section: ConfigFile['bus']): PluggedConfig | null {
  if (section === null || section === undefined) return null
  const { provider, ...options } = section
  return { provider, options }
}

function configFile(environment: Environment, folder: string, problems: string[]): ConfigFile {
  const named = environment['CADASTRE_CONFIG'] || undefined
  const path = configPath(environment, folder)
  if (!existsSync(path)) {
    if (named !== undefined) problems.push(`CADASTRE_CONFIG names ${path}, which does not exist.`)
    return {}
  }
  try {
    const file = readConfigFile(path, utf8(readFileSync(path)), environment, problems)
    const open = file.plugins?.length ? writableByAll(path) : null
    if (open !== null)
      problems.push(`${path} names plugins, and every user may write ${open}. Run: chmod o-w ${JSON.stringify(open)}`)
    return file
  } catch (error) {
    problems.push(`${path} cannot be read: ${(error as Error).message}`)
    return {}
  }
}

/** @throws Error instead of replacing invalid bytes, which may be part of a secret or a path */
function utf8(bytes: Buffer): string {
  const decoded = decodeText(bytes)
  if ('text' in decoded) return decoded.text
  throw new Error(`it is not UTF-8 text (line ${decoded.badLine})`)
}

function configPath(environment: Environment, folder: string): string {
  return resolve(folder, environment['CADASTRE_CONFIG'] || 'cadastre.yaml')
}

/** Removes undefined keys, so that they do not override defaults. */
function given<Section extends object>(
  section: Section | null | undefined,
): { [Key in keyof Section]: Exclude<Section[Key], undefined> } {
  return Object.fromEntries(Object.entries(section ?? {}).filter(([, value]) => value !== undefined)) as never
}

function oneOf<Value extends string>(values: readonly Value[]): (text: string) => Value | undefined {
  return (text) => values.find((value) => value === text)
}

function optimizationsWithout(text: string): OptimizationSwitches | undefined {
  const { switches, unknown } = parseWithout(text)
  return unknown.length === 0 ? switches : undefined
}

function portNumber(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined
}

function hostName(text: string): string | undefined {
  return isIP(text) !== 0 || /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(text) ? text : undefined
}

function postgresUrl(text: string): string | undefined {
  const scheme = /^postgres(ql)?:\/\//.test(text)
  // The host may be a socket's folder, which `new URL` would refuse and the store accepts.
  return scheme ? text : undefined
}

function httpUrls(text: string): string[] | undefined {
  const list = listed(text)
  return list.every((url) => /^https?:\/\//.test(url) && URL.canParse(url)) ? list : undefined
}

function namespaces(text: string): string[] | undefined {
  const list = listed(text)
  return list.length > 0 && list.every((name) => namespaceFault(name) === undefined) ? list : undefined
}

function listed(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

function origins(text: string): string[] | undefined {
  const list = listed(text)
  return list.every((origin) => origin === '*' || (URL.canParse(origin) && new URL(origin).origin === origin))
    ? list
    : undefined
}
