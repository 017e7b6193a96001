import { defineConfig } from 'drizzle-kit'

export default defineConfig({ dialect: 'postgresql', schema: './src/store/postgres/base/tables.ts', out: './drizzle' })
