# The command API; the same image runs the relay (`relay`) and the jobs of the event store (`migrate`, `import`, `replay`).
# The first stage is the same in all three Dockerfiles, word for word, so that it is built once and its layers are shared:
# one wheel holds the four packages and one set of locked dependencies serves all processes. A test keeps it the same.
# No BuildKit-only syntax: any builder will do. PYTHON_IMAGE lets a release pin the base by digest.
ARG PYTHON_IMAGE=python:3.13-slim-trixie

FROM ${PYTHON_IMAGE} AS build
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PROJECT_ENVIRONMENT=/app UV_PYTHON=python UV_PYTHON_DOWNLOADS=never
WORKDIR /src
COPY deploy/local/uv.txt ./
RUN python -m venv /uv && /uv/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary=:all: --require-hashes -r uv.txt
COPY pyproject.toml uv.lock ./
RUN /uv/bin/uv sync --locked --no-dev --no-install-project
COPY README.md LICENSE ./
COPY shared shared
COPY command_api command_api
COPY query_api query_api
COPY projector projector
RUN /uv/bin/uv sync --locked --no-dev --no-editable

FROM ${PYTHON_IMAGE}
COPY --from=build /app /app
# No home folder and no passwd entry: what looks for a home finds the one place that may be written to.
ENV PATH=/app/bin:$PATH HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1 LISTEN_HOST=0.0.0.0
ARG SERVICE_REVISION=unknown
ARG SERVICE_VERSION=
ENV SERVICE_REVISION=${SERVICE_REVISION} SERVICE_VERSION=${SERVICE_VERSION}
LABEL org.opencontainers.image.title="Product catalogue: command API" \
      org.opencontainers.image.description="Serves the write API" \
      org.opencontainers.image.version="${SERVICE_VERSION}" \
      org.opencontainers.image.revision="${SERVICE_REVISION}"
WORKDIR /app
# By number: Kubernetes cannot tell whether a name is root.
USER 65532:65532
EXPOSE 8000 9100 9103
ENTRYPOINT ["python", "-m", "command_api"]
CMD ["serve"]
