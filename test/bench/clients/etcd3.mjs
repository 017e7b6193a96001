// etcd through npm `etcd3`: its own protocol, by one client, as its users have it.
import { entryOf } from '../entries.mjs'

export async function etcd3Requests({ port, connections, operations, run }) {
  const { Etcd3 } = await import('etcd3')
  const client = new Etcd3({ hosts: `http://127.0.0.1:${port}` })
  const ask = async (n) => {
    const puts = Array.from({ length: operations }, (_, i) => entryOf(n * operations + i, run)).map(
      ({ id, ...content }) => client.put(id).value(JSON.stringify(content)),
    )
    if (puts.length === 1) return puts[0].exec()
    const { succeeded } = await client
      .if('none', 'Create', '==', 0)
      .then(...puts)
      .commit()
    if (!succeeded) throw new Error('etcd3: the transaction did not succeed')
  }
  return Array.from({ length: connections }, () => ask)
}
