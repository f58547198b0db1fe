# kjitsi in a container: the key server by default, every other command by its name.
#   docker build --tag kjitsi:VERSION .
#   docker run --rm --publish 9000:9000 --env KEYCLOAK_URL --env KEYCLOAK_REALM kjitsi:VERSION
FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
# Scripts later: `prepare` builds, and there is nothing to build yet.
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build

FROM node:24-bookworm-slim
ENV NODE_ENV=production KJITSI_LISTEN_HOST=0.0.0.0
# The libraries are in dist/.
COPY --from=build /src/package.json /src/LICENSE /opt/kjitsi/
COPY --from=build /src/bin /opt/kjitsi/bin
COPY --from=build /src/dist /opt/kjitsi/dist
COPY --from=build /src/templates /opt/kjitsi/templates
RUN ln -s /opt/kjitsi/bin/kjitsi.js /usr/local/bin/kjitsi
# By number, so that Kubernetes can see that it is not root.
USER 1000:1000
EXPOSE 9000
# Alive, whether or not Keycloak is. Its certificate, if it has one, is for other names than 127.0.0.1.
# For a container that runs another command: --no-healthcheck.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["node", "--eval", "const { KJITSI_LISTEN_PORT, KJITSI_TLS_CERT } = process.env; require(KJITSI_TLS_CERT ? 'https' : 'http').get({ host: '127.0.0.1', port: KJITSI_LISTEN_PORT || 9000, path: '/healthz', rejectUnauthorized: false }, ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
ENTRYPOINT ["kjitsi"]
CMD ["serve-certs"]
