# Build: the compiled JavaScript and WebAssembly, as the npm package ships them.
FROM node:20-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
# A CA bundle may be given as a build secret where a proxy re-signs the registry's certificate.
RUN --mount=type=secret,id=ca NODE_EXTRA_CA_CERTS=/run/secrets/ca npm ci --no-audit --no-fund
COPY asconfig.json tsconfig.json tsconfig.build.json ./
COPY assembly assembly
COPY src src
RUN npm run build && npm prune --omit=dev

# Run: no development dependencies, not root, data on a volume.
FROM node:20-slim
ENV NODE_ENV=production
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
HEALTHCHECK --interval=5s --timeout=2s --start-period=20s --retries=6 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/health/ready').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/main.js"]
# Inside a container the loopback interface reaches nobody, so the server listens on all of them; publish the
# port on 127.0.0.1 unless the network around it is yours: there is no authentication yet.
CMD ["serve", "--listen", "0.0.0.0:8080", "--data-dir", "/data", "--no-auth"]
