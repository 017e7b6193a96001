# The gateway in a container. The store is embedded, on the volume, unless DATABASE_URL names a Postgres server:
#   docker build -t cadastre . && docker run --init -p 4000:4000 -v cadastre:/data cadastre
# It takes the same steps as `npm start`. The base is Debian, because the embedded Postgres needs glibc.

FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json ./
COPY scripts ./scripts
COPY schema ./schema
COPY web-playground ./web-playground
COPY src ./src
RUN npm run build

FROM node:20-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 PORT=4000 CADASTRE_DATA_DIR=/data
COPY package.json package-lock.json ./
RUN npm ci --omit=dev
COPY drizzle ./drizzle
COPY schema ./schema
COPY bin ./bin
COPY --from=build /app/dist ./dist
# Postgres refuses to run as root, and nothing here needs root.
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 4000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
CMD ["node", "dist/server/main.js"]
