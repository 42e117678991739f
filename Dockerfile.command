# The command API; the same image runs the relay (`relay`) and the jobs of the event store (`migrate`, `import`, `replay`).
# The first stage is the same in all three Dockerfiles, word for word, so that it is built once for all. A test keeps it the same.
# No BuildKit-only syntax: any builder will do. docs/images.md says what is in the result, and how PYTHON_IMAGE is pinned.
ARG PYTHON_IMAGE=python:3.13-slim-trixie
ARG SERVICE_VERSION=0.2.0

FROM ${PYTHON_IMAGE} AS build
ENV UV_LINK_MODE=copy UV_CACHE_DIR=/uv-cache UV_PYTHON=python UV_PYTHON_DOWNLOADS=never PYTHONDONTWRITEBYTECODE=1
WORKDIR /src
COPY deploy/local/uv.txt ./
RUN python -m venv /uv && /uv/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary=:all: --require-hashes -r uv.txt
COPY pyproject.toml uv.lock ./
RUN for process in command-api query-api projector; do \
        UV_PROJECT_ENVIRONMENT=/$process/app /uv/bin/uv sync --locked --no-dev --no-install-project --extra $process || exit 1; \
    done && rm -rf /uv-cache
COPY deploy/images/root_file_system.py deploy/images/compiled.py ./
RUN for process in command-api query-api projector; do python compiled.py /$process/app /app || exit 1; done \
    && python root_file_system.py /root-file-system /command-api/app /query-api/app /projector/app \
    && python compiled.py /root-file-system /
COPY LICENSE /code/
COPY shared /code/shared
COPY command_api /code/command_api
COPY query_api /code/query_api
COPY projector /code/projector
ARG SERVICE_VERSION
RUN grep --quiet --line-regexp --fixed-strings "version = \"${SERVICE_VERSION}\"" pyproject.toml || { echo "SERVICE_VERSION is not the version in pyproject.toml"; exit 1; } \
    && python compiled.py /code /app/code

# Empty but for what follows: no shell, no package manager. What changes least comes first.
FROM scratch
COPY --from=build /root-file-system /
COPY --from=build /command-api/app /app
COPY --from=build /code/LICENSE /app/LICENSE
COPY --from=build /code/shared /app/code/shared
COPY --from=build /code/command_api /app/code/command_api
# No home folder and no passwd entry: what looks for a home finds the one place that may be written to.
ENV PATH=/app/bin HOME=/tmp PYTHONPATH=/app/code PYTHONDONTWRITEBYTECODE=1 PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1 LISTEN_HOST=0.0.0.0
WORKDIR /app
# By number: Kubernetes cannot tell whether a name is root.
USER 65532:65532
EXPOSE 8000 9100 9103
ENTRYPOINT ["python", "-m", "command_api"]
CMD ["serve"]
# The last lines, because they differ from one commit to the next.
ARG PYTHON_IMAGE
ARG SERVICE_VERSION
ARG SERVICE_REVISION=unknown
ARG SOURCE_URL=unknown
ARG BUILD_TIME=unknown
ENV SERVICE_REVISION=${SERVICE_REVISION} SERVICE_VERSION=${SERVICE_VERSION}
LABEL org.opencontainers.image.title="Product catalogue: command API" \
      org.opencontainers.image.description="Serves the write API; runs the relay and the migrations of the event store" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${SERVICE_VERSION}" \
      org.opencontainers.image.revision="${SERVICE_REVISION}" \
      org.opencontainers.image.source="${SOURCE_URL}" \
      org.opencontainers.image.created="${BUILD_TIME}" \
      org.opencontainers.image.base.name="${PYTHON_IMAGE}"
