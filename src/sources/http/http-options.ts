import { z } from 'zod'
import { formConfig, schemasConfig } from '../provider/source-config.js'

const visible = (what: string) =>
  z.string().regex(/^[\x21-\x7e]+$/, `must be ${what}: visible ASCII characters without spaces`)
/** Headers that the client sets itself. A credential in one of them would change how the request is read. */
const RESERVED_HEADERS = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'te',
  'trailer',
  'expect',
  'accept-encoding',
  'if-none-match',
  'range',
])

const auth = z
  .strictObject({
    bearer: visible('a token').optional(),
    basic: z
      .strictObject({
        user: z.string().regex(/^[^:\u0000-\u001f\u007f]*$/, 'must have no colon and no control characters'),
        password: z.string().regex(/^[^\u0000-\u001f\u007f]*$/, 'must have no control characters'),
      })
      .optional(),
    header: z
      .strictObject({
        name: z
          .string()
          .regex(/^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/, 'must be the name of a header')
          .refine(
            (name) => !RESERVED_HEADERS.has(name.toLowerCase()),
            'must not be a header that the client sets itself',
          ),
        value: z
          .string()
          .min(1)
          .regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'must be one line of Latin-1 characters'),
      })
      .optional(),
  })
  .refine(
    (given) => Object.values(given).filter((each) => each !== undefined).length === 1,
    'must be one of bearer, basic and header',
  )

const url = z.string().superRefine((text, context) => {
  const fault = (message: string) => context.addIssue({ code: 'custom', message })
  if (!URL.canParse(text) || !['http:', 'https:'].includes(new URL(text).protocol))
    return fault('must be a URL that begins with http:// or https://')
  const { username, password, hash } = new URL(text)
  if (username !== '' || password !== '') fault('must not contain a user or password. Put them under auth.basic')
  if (hash !== '') fault('must not have a fragment (#…)')
})

/** The configuration of an HTTP source. Its messages contain no values, because some are secrets. */
export const HttpConfig = z.strictObject({
  url,
  pollSeconds: z.number().min(1).max(86_400).default(60),
  auth: auth.optional(),
  form: formConfig.default('entry'),
  schemas: schemasConfig,
})

/** HttpConfig with absolute paths of schema files. */
export type HttpSourceOptions = Omit<z.input<typeof HttpConfig>, 'schemas'> & {
  readonly schemas?: Readonly<Record<string, string>>
}
export type HttpAuth = z.infer<typeof auth>

/** The header with the credentials. */
export function authHeaders(given: HttpAuth | undefined): Record<string, string> {
  if (given?.bearer !== undefined) return { authorization: `Bearer ${given.bearer}` }
  if (given?.basic !== undefined)
    return {
      authorization: `Basic ${Buffer.from(`${given.basic.user}:${given.basic.password}`, 'utf8').toString('base64')}`,
    }
  if (given?.header !== undefined) return { [given.header.name.toLowerCase()]: given.header.value }
  return {}
}
