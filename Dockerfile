# The demo: its server, and the agents that call it. Built from a checkout, or from an installed package, which has no sources.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json* ./
RUN if [ -f package-lock.json ]; then npm ci --ignore-scripts --no-audit --no-fund; \
    else npm install --omit=dev --ignore-scripts --no-audit --no-fund; fi
COPY . .
RUN if [ -d src ]; then npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund; fi

FROM ${NODE_IMAGE}
WORKDIR /app
ENV NODE_ENV=production
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
USER 1000:1000
ENTRYPOINT ["node", "dist/cli/main.js"]
CMD ["--help"]
