# Build: the compiled JavaScript and WebAssembly, as the npm package ships them.
FROM node:20-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
# A CA bundle may be given as a build secret where a proxy re-signs the registry's certificate.
RUN --mount=type=secret,id=ca NODE_EXTRA_CA_CERTS=/run/secrets/ca npm ci --ignore-scripts --no-audit --no-fund
COPY asconfig.json tsconfig.json tsconfig.build.json ./
COPY assembly assembly
COPY src src
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

# Run: no development dependencies, not root, data on a volume.
FROM node:20-slim
LABEL org.opencontainers.image.title="lsmt" org.opencontainers.image.licenses="MIT"
# Inside a container the loopback interface reaches nobody, so the server listens on all of them. It refuses to without a
# token (LSMT_AUTH_TOKEN, or LSMT_AUTH_TOKEN_FILE with a mounted file), unless LSMT_NO_AUTH=1 says that the network is yours.
ENV NODE_ENV=production LSMT_LISTEN=0.0.0.0:8080 LSMT_DATA_DIR=/data
WORKDIR /app
COPY --from=build /src/package.json ./
COPY --from=build /src/node_modules node_modules
COPY --from=build /src/build build
COPY --from=build /src/dist dist
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
# Over HTTPS when the server has a certificate, which is not checked: it is asked by itself.
HEALTHCHECK --interval=5s --timeout=4s --start-period=20s --retries=6 \
  CMD ["node", "--no-warnings", "-e", "process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; const ready = (scheme) => fetch(`${scheme}://127.0.0.1:8080/health/ready`).then((answer) => answer.ok, () => false); ready('http').then((ok) => ok || ready('https')).then((ok) => process.exit(ok ? 0 : 1))"]
ENTRYPOINT ["node", "dist/main.js"]
CMD ["serve"]
