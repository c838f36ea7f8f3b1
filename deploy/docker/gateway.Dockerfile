# One gateway. Node runs the TypeScript sources as they are, so nothing is built, only installed.
#
#   docker build -f deploy/docker/gateway.Dockerfile -t parley-gateway .
FROM node:24-slim AS node

# Only the manifests of the workspace: as long as they are the same, the packages below come from the build cache.
FROM node AS manifests
WORKDIR /app
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
COPY packages packages
COPY services services
RUN find packages services -type f ! -name package.json -delete \
  && find packages services -type d -empty -delete

FROM node AS packages
WORKDIR /app
COPY --from=manifests /app ./
# The pnpm that package.json pins; it need not look itself up again.
RUN npm install --global --no-audit --no-fund --loglevel=error "$(node -p 'require("./package.json").packageManager')"
RUN pnpm install --frozen-lockfile --prod --filter-prod '@parley/gateway...' --config.pmOnFail=ignore

FROM node
ENV NODE_ENV=production
WORKDIR /app
COPY --from=packages /app ./
# What the gateway runs on: its own sources and those of the workspace packages among its dependencies.
COPY packages/protocol/src packages/protocol/src
COPY packages/database/src packages/database/src
COPY packages/database/migrations packages/database/migrations
COPY services/gateway/src services/gateway/src

# All files belong to root: the gateway can read them and change none.
USER node
EXPOSE 3000 9100
# The flags are those of NODE_FLAGS in deploy/local/gateways.ts.
CMD ["node", "--max-semi-space-size=16", "--heap-growing-percent=50", "services/gateway/src/main.ts"]
