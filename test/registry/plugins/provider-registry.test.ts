import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Providers, type ProvidersOptions } from '../../../src/registry/plugins/providers.js'
import { compileConfigSchema } from '../../../src/sources/provider/config-schema.js'
import type { Closable, Provider } from '../../../src/store/contract/provider.js'

interface Lamp extends Closable {
  readonly colour: string
}

interface TestRoles {
  readonly lamp: { readonly made: Lamp; readonly host: { readonly room: string } }
  readonly bell: { readonly made: Closable; readonly host: null }
}

const open = (options: Partial<ProvidersOptions<TestRoles>> = {}) =>
  new Providers<TestRoles>({ roles: ['lamp', 'bell'], compileJsonSchema: compileConfigSchema, ...options })
const config = z.strictObject({ colour: z.string(), watts: z.number().max(100).optional() })

/** Private fields, so that a count which hides the thing behind another object is found out. */
class RealLamp implements Lamp {
  #closed = 0
  constructor(readonly colour: string) {}
  get closed() {
    return this.#closed
  }
  async close() {
    this.#closed++
  }
}

function lamp(
  name: string,
  more: Partial<Provider<z.infer<typeof config>, Lamp, { room: string }>> = {},
): Provider<z.infer<typeof config>, Lamp, { room: string }> {
  return {
    name,
    version: '1.0.0',
    description: 'Gives light.',
    configSchema: config,
    create: ({ colour }) => new RealLamp(colour),
    ...more,
  }
}

const bell: Provider<unknown, Closable, null> = {
  name: 'bell',
  version: '1',
  description: 'Rings.',
  configSchema: { type: 'object' },
  create: () => ({ close: async () => {} }),
}
const room = { room: 'hall' }

describe('Providers', () => {
  it('lists providers by role and capability, in an order that does not depend on their registration', async () => {
    const providers = open()
    await providers.register('bell', bell)
    await providers.register('lamp', lamp('wall', { displayName: 'Wall lamp', capabilities: ['dim', 'light'] }))
    const before = Date.now()
    await providers.register('lamp', lamp('desk', { capabilities: ['light'] }))
    providers.setDefault('lamp', 'wall')
    expect(providers.find().map(({ role, name }) => `${role}/${name}`)).toEqual(['lamp/desk', 'lamp/wall', 'bell/bell'])
    expect(providers.find({ role: 'lamp', capability: 'dim' }).map(({ name }) => name)).toEqual(['wall'])
    expect(providers.find({ capability: 'light' }).map(({ name }) => name)).toEqual(['desk', 'wall'])
    expect(providers.find({ role: 'door' })).toEqual([])
    expect(providers.find({ capability: 'fly' })).toEqual([])
    expect(providers.get('lamp', 'wall')).toEqual({
      role: 'lamp',
      name: 'wall',
      displayName: 'Wall lamp',
      version: '1.0.0',
      description: 'Gives light.',
      capabilities: ['dim', 'light'],
      isDefault: true,
      instanceCount: 0,
      registeredAt: expect.any(Date) as Date,
    })
    expect(providers.get('lamp', 'desk')).toMatchObject({ displayName: 'desk', isDefault: false })
    expect(providers.get('lamp', 'desk')!.registeredAt.getTime()).toBeGreaterThanOrEqual(before)
    expect(providers.get('lamp', 'bell')).toBeNull()
    expect(providers.get('door', 'desk')).toBeNull()
  })

  it('refuses a second provider of the same role and name, and allows the name in another role', async () => {
    const providers = open()
    const first = await providers.register('lamp', lamp('bell'))
    await expect(providers.register('lamp', lamp('bell', { version: '2' }))).rejects.toMatchObject({
      code: 'PROVIDER_EXISTS',
      message: expect.stringContaining('"bell"') as string,
    })
    await providers.register('bell', bell)
    expect(providers.get('lamp', 'bell')).toEqual(first)
    expect(providers.find()).toHaveLength(2)
  })

  it.each([
    ['no name', { name: '' }, '"name"'],
    ['a name with a slash', { name: 'a/b' }, '"name"'],
    ['no version', { version: undefined }, '"version"'],
    ['a description that is no text', { description: 3 }, '"description"'],
    ['capabilities that are no list', { capabilities: 'light' }, '"capabilities"'],
    ['no schema', { configSchema: undefined }, '"configSchema"'],
    ['what is no schema', { configSchema: { type: 'lamp' } }, '"configSchema"'],
    ['nothing that makes', { create: undefined }, '"create"'],
    ['a hook that is none', { onRegister: true }, '"onRegister"'],
    ['a check that is none', { health: 'good' }, '"health"'],
  ])('refuses one with %s', async (_, wrong, named) => {
    const providers = open()
    await expect(providers.register('lamp', { ...lamp('desk'), ...wrong } as never)).rejects.toMatchObject({
      code: 'INVALID_PROVIDER',
      message: expect.stringContaining(named) as string,
    })
    expect(providers.find()).toEqual([])
  })

  it('names every fault of a provider at once, and refuses a value that is not a provider', async () => {
    await expect(open().register('lamp', {} as never)).rejects.toThrow(
      /"name".*"version".*"description".*"configSchema".*"create"/,
    )
    await expect(open().register('lamp', null as never)).rejects.toMatchObject({ code: 'INVALID_PROVIDER' })
    await expect(open().register('door' as 'lamp', lamp('desk'))).rejects.toThrow(
      'There is no role "door". The roles are lamp, bell.',
    )
  })

  it('checks a configuration before it creates anything, names every fault, and repeats none of its values', async () => {
    const providers = open()
    let made = 0
    await providers.register(
      'lamp',
      lamp('desk', {
        create: ({ colour }) => {
          made++
          return new RealLamp(colour)
        },
      }),
    )
    const wrong = providers.create('lamp', 'desk', { colour: 7_654_321, watts: 1_234_567, shade: 'hunter2' }, room)
    await expect(wrong).rejects.toMatchObject({
      code: 'INVALID_PROVIDER_CONFIG',
      details: { issues: [{ path: 'colour' }, { path: 'watts' }, { path: '' }] },
    })
    await expect(wrong).rejects.not.toThrow(/hunter2|7654321|1234567/)
    await expect(providers.checkConfig('lamp', 'desk', {})).rejects.toMatchObject({ code: 'INVALID_PROVIDER_CONFIG' })
    expect(made).toBe(0)
    expect(providers.get('lamp', 'desk')!.instanceCount).toBe(0)
  })

  it('accepts a JSON Schema: names all faults with their paths, fills in defaults, leaves the input alone', async () => {
    const providers = open()
    const schema = {
      type: 'object',
      additionalProperties: false,
      required: ['colour'],
      properties: {
        colour: { enum: ['red', 'blue'], default: 'red' },
        at: { type: 'array', items: { type: 'object', properties: { x: { type: 'number' } } } },
      },
    }
    await providers.register('lamp', {
      ...lamp('desk'),
      configSchema: schema,
      create: ({ colour }: any) => new RealLamp(colour as string),
    })
    const given = {}
    expect((await providers.create('lamp', 'desk', given, room)).colour).toBe('red')
    expect(given).toEqual({})
    const wrong = providers.create('lamp', 'desk', { colour: 'hunter2', at: [{ x: 'y' }], shade: 1 }, room)
    await expect(wrong).rejects.toMatchObject({
      details: {
        issues: expect.arrayContaining([
          { path: 'colour', message: 'must be one of "red", "blue"' },
          { path: 'at[0].x', message: 'must be number' },
          { path: 'shade', message: 'is not a known key' },
        ]) as unknown[],
      },
    })
    await expect(wrong).rejects.not.toThrow(/hunter2/)
  })

  it('uses the default provider if no name is given, and lists the providers if there is none', async () => {
    const providers = open()
    await providers.register('lamp', lamp('desk'))
    await providers.register('lamp', lamp('wall'))
    await expect(providers.create('lamp', null, { colour: 'red' }, room)).rejects.toMatchObject({
      code: 'PROVIDER_NOT_FOUND',
      message: 'There is no default lamp provider. Registered are: desk, wall.',
    })
    providers.setDefault('lamp', 'wall')
    const made = await providers.create('lamp', null, { colour: 'red' }, room)
    expect(providers.find().map(({ isDefault, instanceCount }) => [isDefault, instanceCount])).toEqual([
      [false, 0],
      [true, 1],
    ])
    await made.close()
    await providers.unregister('lamp', 'wall')
    await expect(providers.create('lamp', null, { colour: 'red' }, room)).rejects.toMatchObject({
      code: 'PROVIDER_NOT_FOUND',
    })
    await expect(providers.create('lamp', 'wall', { colour: 'red' }, room)).rejects.toThrow(
      'There is no lamp provider "wall". Registered are: desk.',
    )
    expect(() => providers.setDefault('lamp', 'wall')).toThrow('"wall"')
  })

  it('counts what a provider created until it is closed, and refuses to unregister the provider meanwhile', async () => {
    const providers = open()
    let go = () => {}
    await providers.register(
      'lamp',
      lamp('desk', {
        create: ({ colour }) =>
          colour === 'slow'
            ? new Promise((resolve) => {
                go = () => resolve(new RealLamp(colour))
              })
            : new RealLamp(colour),
      }),
    )
    const count = () => providers.get('lamp', 'desk')!.instanceCount
    const making = providers.create('lamp', 'desk', { colour: 'slow' }, room)
    const one = (await providers.create('lamp', 'desk', { colour: 'red' }, room)) as RealLamp
    expect(count()).toBe(2)
    await expect(providers.unregister('lamp', 'desk')).rejects.toMatchObject({
      code: 'PROVIDER_IN_USE',
      details: { instances: 2 },
      message: expect.stringContaining('2 live instances') as string,
    })
    await Promise.all([one.close(), one.close()])
    expect([one.closed, count()]).toEqual([1, 1])
    go()
    const slow = await making
    expect(count()).toBe(1)
    await expect(providers.unregister('lamp', 'desk')).rejects.toThrow('1 live instance.')
    await slow.close()
    await providers.unregister('lamp', 'desk')
    expect(providers.find()).toEqual([])
    await expect(providers.unregister('lamp', 'desk')).rejects.toMatchObject({ code: 'PROVIDER_NOT_FOUND' })
    await providers.register('lamp', lamp('desk'))
  })

  it('does not count what could not be created or failed to close', async () => {
    const providers = open()
    await providers.register(
      'lamp',
      lamp('desk', {
        create: ({ colour }) => {
          if (colour === 'none') throw new Error('out of lamps')
          return {
            colour,
            close: async () => {
              throw new Error('stuck')
            },
          }
        },
      }),
    )
    await expect(providers.create('lamp', 'desk', { colour: 'none' }, room)).rejects.toThrow('out of lamps')
    const stuck = await providers.create('lamp', 'desk', { colour: 'red' }, room)
    await expect(stuck.close()).rejects.toThrow('stuck')
    expect(providers.get('lamp', 'desk')!.instanceCount).toBe(0)
  })

  it('refuses created things that it cannot count: without a close, frozen, or created before', async () => {
    const providers = open()
    const same = new RealLamp('red')
    const made: Record<string, unknown> = {
      open: { colour: 'x' },
      frozen: Object.freeze({ colour: 'x', close: async () => {} }),
      same,
    }
    await providers.register('lamp', lamp('desk', { create: ({ colour }) => made[colour] as Lamp }))
    await providers.create('lamp', 'desk', { colour: 'same' }, room)
    for (const [colour, why] of [
      ['open', '"close"'],
      ['frozen', 'frozen'],
      ['same', 'twice'],
    ] as const) {
      await expect(providers.create('lamp', 'desk', { colour }, room)).rejects.toMatchObject({
        code: 'PROVIDER_FAILED',
        message: expect.stringContaining(why) as string,
      })
    }
    expect(providers.get('lamp', 'desk')!.instanceCount).toBe(1)
  })
})

describe('registration hooks', () => {
  it('run one after another before the provider can be found, and block nothing meanwhile', async () => {
    const providers = open()
    const order: string[] = []
    const leave = providers.onRegister(async ({ name }) => {
      order.push(`first ${name}`)
      expect(providers.get('lamp', name)).toBeNull()
      // A registry that held a lock here would wait for itself.
      if (name === 'desk') await providers.register('bell', bell)
      order.push(`first done ${name}`)
    })
    providers.onRegister(({ name }) => void order.push(`second ${name}`))
    await providers.register('lamp', lamp('desk', { onRegister: () => void order.push('own') }))
    expect(order).toEqual([
      'own',
      'first desk',
      'first bell',
      'first done bell',
      'second bell',
      'first done desk',
      'second desk',
    ])
    leave()
    await providers.register('lamp', lamp('wall'))
    expect(order.slice(7)).toEqual(['second wall'])
  })

  it('undo the registration if one fails: earlier hooks are undone, the last first, and the name is free', async () => {
    const providers = open()
    const order: string[] = []
    let fails = true
    providers.onRegister(() => () => void order.push('undo first'))
    providers.onRegister(async () => {
      await sleep(1)
      if (fails) throw new Error('no room')
      return null
    })
    const registering = providers.register(
      'lamp',
      lamp('desk', {
        onRegister: () => async () => {
          await sleep(1)
          order.push('undo own')
        },
      }),
    )
    await expect(registering).rejects.toMatchObject({
      code: 'PROVIDER_HOOK_FAILED',
      message: expect.stringContaining('no room') as string,
    })
    expect(order).toEqual(['undo first', 'undo own'])
    expect(providers.find()).toEqual([])
    await expect(providers.create('lamp', 'desk', { colour: 'red' }, room)).rejects.toMatchObject({
      code: 'PROVIDER_NOT_FOUND',
    })
    fails = false
    await providers.register('lamp', lamp('desk'))
    expect(providers.get('lamp', 'desk')).not.toBeNull()
  })

  it('refuse the second of two concurrent registrations of one name, and leave nothing if the first fails', async () => {
    const providers = open()
    let decide: (error?: Error) => void = () => {}
    const waiting = () =>
      new Promise<void>((resolve, reject) => {
        decide = (error) => (error === undefined ? resolve() : reject(error))
      })
    const first = providers.register('lamp', lamp('desk', { version: '1', onRegister: waiting }))
    const second = providers.register('lamp', lamp('desk', { version: '2' }))
    await expect(second).rejects.toMatchObject({ code: 'PROVIDER_EXISTS' })
    await expect(providers.unregister('lamp', 'desk')).rejects.toMatchObject({ code: 'PROVIDER_NOT_FOUND' })
    decide(new Error('no'))
    await expect(first).rejects.toMatchObject({ code: 'PROVIDER_HOOK_FAILED' })
    expect(providers.find()).toEqual([])
    await providers.register('lamp', lamp('desk', { version: '3' }))
    expect(providers.get('lamp', 'desk')!.version).toBe('3')
  })

  it('have a deadline, and a hook that completes late is undone', async () => {
    const providers = open({ hookMs: 30 })
    let end: (undo: () => void) => void = () => {}
    const slow = providers.register(
      'lamp',
      lamp('desk', {
        onRegister: () =>
          new Promise<() => void>((resolve) => {
            end = resolve
          }),
      }),
    )
    await expect(slow).rejects.toMatchObject({
      code: 'PROVIDER_HOOK_FAILED',
      message: expect.stringContaining('30 ms') as string,
    })
    const undone = new Promise<void>((resolve) => end(resolve))
    await undone
    expect(providers.find()).toEqual([])
  })

  it('are undone on unregister and on close, and a failure to undo is reported', async () => {
    const failures: string[] = []
    const providers = open({ failed: (what) => failures.push(what) })
    const order: string[] = []
    providers.onRegister(({ name }) => () => {
      order.push(name)
      if (name === 'wall') throw new Error('stuck')
    })
    for (const name of ['desk', 'wall', 'floor']) await providers.register('lamp', lamp(name))
    await providers.unregister('lamp', 'desk')
    expect(order).toEqual(['desk'])
    await providers.close()
    expect(order).toEqual(['desk', 'floor', 'wall'])
    expect(failures).toEqual([expect.stringContaining('"wall"')])
  })
})

describe('the health of a provider', () => {
  it('is what its health check says, null if it has none', async () => {
    const providers = open()
    await providers.register('lamp', lamp('desk'))
    await providers.register('lamp', lamp('wall', { health: (made) => made.every(({ colour }) => colour !== 'black') }))
    expect(await providers.isHealthy('lamp', 'desk')).toBeNull()
    expect(await providers.isHealthy('lamp', 'gone')).toBeNull()
    expect(await providers.isHealthy('lamp', 'wall')).toBeNull()
    await providers.create('lamp', 'wall', { colour: 'red' }, room)
    expect(await providers.isHealthy('lamp', 'wall')).toBe(true)
    const black = await providers.create('lamp', 'wall', { colour: 'black' }, room)
    expect(await providers.isHealthy('lamp', 'wall')).toBe(false)
    await black.close()
    expect(await providers.isHealthy('lamp', 'wall')).toBe(true)
  })

  it('is false if the check fails or takes too long, which is reported, and concurrent callers share one check', async () => {
    const failures: string[] = []
    const providers = open({ healthMs: 40, failed: (what) => failures.push(what) })
    let checks = 0
    let aborted = 0
    await providers.register(
      'lamp',
      lamp('stuck', {
        health: (_, signal) =>
          new Promise(() => {
            checks++
            signal.addEventListener('abort', () => aborted++)
          }),
      }),
    )
    await providers.register(
      'lamp',
      lamp('bad', {
        health: () => {
          throw new Error('broken')
        },
      }),
    )
    for (const name of ['stuck', 'bad']) await providers.create('lamp', name, { colour: 'red' }, room)
    expect(await Promise.all([1, 2, 3].map(() => providers.isHealthy('lamp', 'stuck')))).toEqual([false, false, false])
    expect([checks, aborted]).toEqual([1, 1])
    expect(await providers.isHealthy('lamp', 'bad')).toBe(false)
    expect(failures).toEqual([expect.stringContaining('"stuck"'), expect.stringContaining('"bad"')])
  })
})
