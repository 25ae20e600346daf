# The API. Build it from the repository: docker build -f packaging/docker/api.Dockerfile -t os-inspector-api .

FROM node:26.10.0-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run prepack

FROM node:26.10.0-slim AS modules
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# The optional ones are Node itself, which the image has.
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:26.10.0-slim
RUN install -d -m 0750 -o node -g node /var/lib/os-inspector
WORKDIR /opt/os-inspector
COPY --from=modules /build/node_modules node_modules
COPY --from=build /build/package.json package.json
COPY --from=build /build/dist dist
# Others reach it here, so it asks who they are. A token: docker exec NAME node dist/api/main.js token create --help
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=4000 \
    AUTH=required \
    BUCKET_URL=file:/var/lib/os-inspector/bucket \
    INDEX_URL=sqlite:/var/lib/os-inspector/index.db
VOLUME /var/lib/os-inspector
EXPOSE 4000
USER node
# It asks itself, so whose certificate that is does not matter. Where TLS_CLIENT_CA is set, write another one, or none.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["node", "-e", "require(process.env.TLS_CERT ? 'https' : 'http').get({ host: '127.0.0.1', port: process.env.PORT, path: '/health', rejectUnauthorized: false }, (answer) => process.exit(answer.statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
ENTRYPOINT ["node", "dist/api/main.js"]
CMD ["serve"]
