# The agent. Build it from the repository: docker build -f packaging/docker/agent.Dockerfile -t os-inspector-agent .

FROM node:26.10.0-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run package:bundle

FROM node:26.10.0-slim
RUN install -d -m 0750 -o node -g node /var/lib/os-inspector && install -d /etc/os-inspector
COPY --from=build /build/dist/os-inspector-agent.js /opt/os-inspector/os-inspector-agent.js
# Where it finds the host, which is to be mounted there; and where it keeps the host's id.
ENV HOST_ROOT=/host \
    STATE_DIRECTORY=/var/lib/os-inspector
VOLUME /var/lib/os-inspector
WORKDIR /etc/os-inspector
USER node
# "check" would ask the API, whose absence is no fault of the agent.
HEALTHCHECK NONE
ENTRYPOINT ["node", "/opt/os-inspector/os-inspector-agent.js"]
CMD ["run"]
