# The image of Masthead: one static binary with the browser application and the dashboards inside.
#   docker build -t masthead:0.1.0 .
#   docker run -p 3000:3000 -v masthead:/var/lib/masthead -e MASTHEAD_AUTH_ADMIN_PASSWORD=… masthead:0.1.0
# It runs as nobody in particular (65532) and works with --read-only; only /var/lib/masthead is written.

# The browser application, which the build embeds.
FROM docker.io/library/node:22-alpine AS web
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web ./
RUN npm run build

# With the C library inside, so that the binary needs nothing of the system that it runs on, name
# resolution included. glibc and not musl: everything is tested and measured with it, its allocator
# above all. `--target` keeps the flags from what runs while building; relocations are packed
# because a static binary that is loaded anywhere has a megabyte and a half of them.
FROM docker.io/library/rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
COPY --from=web /src/web/dist web/dist
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    host=$(rustc -vV | sed -n 's/^host: //p') \
    && RUSTFLAGS="-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs" \
       cargo build --release --locked --target "$host" --package masthead \
    && install -D -s "target/$host/release/masthead" /out/masthead \
    && mkdir -p /out/var/lib/masthead

# Certificates, time zones and a user; no shell, nothing to update.
FROM gcr.io/distroless/static-debian12:nonroot
LABEL org.opencontainers.image.title="masthead" \
      org.opencontainers.image.description="Metrics, logs and dashboards in one process" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/masthead /masthead
COPY --from=build --chown=65532:65532 /out/var/lib/masthead /var/lib/masthead
USER 65532:65532
VOLUME /var/lib/masthead
# Grafana's, Prometheus' and Loki's.
EXPOSE 3000 9090 3100
ENTRYPOINT ["/masthead"]
# No variables here: they would be preferred to a configuration file that is mounted. Beyond loopback
# it wants a password, and says so.
CMD ["serve", "--data", "/var/lib/masthead", "--listen", "0.0.0.0:3000"]
