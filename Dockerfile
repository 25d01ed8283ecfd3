# The pages
FROM node:22-slim AS web
WORKDIR /src/web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN npm ci --no-audit --no-fund --ignore-scripts
COPY web/ ./
RUN npm run build

# The wheel, with the pages in it
FROM python:3.11-slim AS wheel
WORKDIR /src
COPY requirements-build.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements-build.txt
COPY pyproject.toml hatch_build.py LICENSE ./
COPY router/ router/
COPY --from=web /src/router/static/ router/static/
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels .

# What runs
FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin kcc && install -d -o kcc -g kcc -m 0700 /data
COPY requirements.txt /tmp/
RUN pip install --no-cache-dir --require-hashes -r /tmp/requirements.txt && rm /tmp/requirements.txt
COPY --from=wheel /wheels/ /tmp/wheels/
RUN pip install --no-cache-dir --no-deps --no-index /tmp/wheels/*.whl && rm -r /tmp/wheels
COPY config/ /etc/kcc-router/
USER kcc
ENV KCC_HOST=0.0.0.0 KCC_PORT=8014 KCC_DATA=/data PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8014
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"KCC_PORT\"]}/health/live', timeout=2)"]
ENTRYPOINT ["kcc-router"]
# Mount your configuration at /config. /etc/kcc-router holds demo and example; the demo runs on loopback only:
# docker run --network host -e KCC_HOST=127.0.0.1 kcc-router serve --config /etc/kcc-router/demo
CMD ["serve", "--config", "/config"]
