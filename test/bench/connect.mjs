import postgres from 'postgres'
import { addArrayTypes } from '../../dist/store/postgres/base/array-types.js'
import { connectionOptions } from '../../dist/store/postgres/base/connection-options.js'

/** Connects to a database of the embedded server. The driver's own URL parser does not know sockets. */
export const connect = (url, options = {}) => addArrayTypes(postgres({ ...connectionOptions(url), ...options }))
